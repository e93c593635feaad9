import type { CursorMove, Fold } from '../../src/store/log.ts';
import type { Result } from '../../src/metric.ts';
import { INJECTED } from './faults.ts';

/** What is wrong whatever the scores are; the log tells of the first. */
const ALARMS = new Set([
  'scheduler.determinism_mismatch',
  'scheduler.model_failed',
  'anomaly.history_lost',
  'anomaly.state_damaged',
  'monitoring.cleanup_failed',
]);
const FAILURES = new Set([
  'scheduler.turn_failed',
  'fold.turn_failed',
  'fold.sweep_failed',
  'bus.wake_handler_failed',
]);

/** Watches one simulation from outside and notes what must never be. */
export class Audit {
  readonly violations: string[] = [];
  /** What consumers took, in order; not what an engine's consumer took that was declared dead. */
  readonly published: Result[] = [];
  /** The same for the same seed. */
  fingerprint = 0;
  readonly #folds = new Map<string, number>();

  /** A transaction was accepted: the folds of one generation follow each other, and come from the one owner. */
  accepted(stage: 'T1' | 'T2' | 'T3', fold: Fold | CursorMove, fenced: boolean): void {
    const { metricId, generation, from, to } = fold;
    const key = `${stage} ${metricId.slice(0, 1)}:${generation}${'consumer' in fold ? `:${fold.consumer}` : ''}`;
    this.note(`${key} ${from} ${to}`);
    if (fenced) this.violation(`${key} from ${from} was accepted from an engine that had lost its lease`);
    // No row is ever removed here, so every generation begins with row 1.
    const last = this.#folds.get(key) ?? 0;
    if (last !== from) this.violation(`${key} went on from ${from}, not from ${last}`);
    this.#folds.set(key, to);
  }

  failed(what: string, error: unknown): void {
    this.violation(`${what} failed: ${String(error)}`);
  }

  /** A line of an engine's log. */
  logged(line: string): void {
    const {
      event = '',
      msg = '',
      err,
    } = JSON.parse(line) as {
      readonly event?: string;
      readonly msg?: string;
      readonly err?: { readonly message?: string; readonly stack?: string };
    };
    this.note(event);
    if (ALARMS.has(event)) this.violation(`${event}: ${line.trim()}`);
    if (FAILURES.has(event) && err?.message?.includes(INJECTED) !== true) {
      this.violation(`${event}: ${msg}: ${err?.stack ?? line}`);
    }
  }

  violation(what: string): void {
    this.violations.push(what);
  }

  note(what: string): void {
    for (let i = 0; i < what.length; i++) {
      this.fingerprint = (Math.imul(this.fingerprint, 31) + what.charCodeAt(i)) | 0;
    }
  }
}
