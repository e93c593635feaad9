import type { CursorMove, Fold, Log, RawScoreSlice } from '../../src/store/log.ts';
import type { SimulatedDatabase } from './database.ts';

/** What T1 to T3 check. */
export type Guard = 'generation' | 'epoch' | 'watermark' | 'command';
export type GuardedFold = 'recordRawScores' | 'recordAnomalyScores' | 'advanceCursor';

const FIELDS = {
  generation: 'generation',
  epoch: 'epoch',
  watermark: 'from',
  command: 'commandSequence',
} as const;

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** The watermark of each fold. */
const WATERMARKS = {
  recordRawScores: 'select processed_rowid from scheduler_watermark where uid = @metricId',
  recordAnomalyScores: 'select scored_rowid from anomaly_watermark where uid = @metricId',
  advanceCursor: `select coalesce(
    (select rowid from cursor where uid = @metricId and consumer = @consumer),
    (select start_rowid - 1 from generation where uid = @metricId and state = 'open'))`,
} as const satisfies Record<GuardedFold, string>;

/**
 * The database's log with one guard of one fold switched off, the others in force: right before the transaction the
 * slice is made to carry what that guard asks for.
 */
export function withoutGuard(
  { connection, session, log }: SimulatedDatabase,
  fold: GuardedFold,
  guard: Guard,
): Log {
  const present = connection
    .prepare(
      {
        generation: `select generation from generation where uid = @metricId and state = 'open'`,
        epoch: `select max(epoch) from lease`,
        watermark: WATERMARKS[fold],
        command: 'select max(sequence) from model_command where uid = @metricId',
      }[guard],
    )
    .pluck();
  const field = FIELDS[guard];
  const call = <T extends Fold>(method: (slice: T) => Promise<unknown>) => {
    return (slice: T) => {
      const altered: Mutable<T> & { commandSequence?: number } = { ...slice };
      // Writes run in their order, so nothing comes between this one and the transaction.
      void session.write(() => {
        const parameters = {
          metricId: slice.metricId,
          ...('consumer' in slice && { consumer: slice.consumer }),
        };
        const value = present.get(...(guard === 'epoch' ? [] : [parameters])) as number | undefined | null;
        if (value !== undefined && value !== null) altered[field] = value;
        return Promise.resolve();
      });
      return method(altered);
    };
  };
  const unguarded = call(log[fold].bind(log) as (slice: RawScoreSlice | CursorMove) => Promise<unknown>);
  return new Proxy(log, {
    get(target, name) {
      if (name === fold) return unguarded;
      const method = Reflect.get(target, name) as (...args: unknown[]) => unknown;
      return method.bind(target);
    },
  });
}
