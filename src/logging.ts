import { pino, type DestinationStream, type LevelWithSilent, type Logger } from 'pino';

/** Lines of one event, warnings and worse, that are written in one interval; the others are counted. */
export const MAX_LINES_PER_INTERVAL = 60;
const INTERVAL_MS = 60_000;

interface Budget {
  startedMs: number;
  lines: number;
  /** Lines since the last that was written. */
  suppressed: number;
}

/**
 * The log: one JSON line an event, named by `event` (`stage.what_happened`), with stable fields and a short `msg` for
 * people (docs/operating.md lists them). A warning or an error that comes again and again is written 60 times a minute
 * at the most; the next line of that event says in `suppressed` how many were left out.
 */
export function createLogger(
  level: LevelWithSilent,
  destination: DestinationStream,
  nowMs: () => number = () => performance.now(),
): Logger {
  const lowest = pino.levels.values['warn'] ?? 0;
  // Bounded: the names of events are written in the code, never made from input.
  const budgets = new Map<string, Budget>();

  /** @returns how many lines of the event were left out before this one, or null if this one is left out too. */
  function spend(event: string): number | null {
    const now = nowMs();
    let budget = budgets.get(event);
    if (budget === undefined) budgets.set(event, (budget = { startedMs: now, lines: 0, suppressed: 0 }));
    if (now - budget.startedMs >= INTERVAL_MS) {
      budget.startedMs = now;
      budget.lines = 0;
    }
    if (budget.lines >= MAX_LINES_PER_INTERVAL) {
      budget.suppressed++;
      return null;
    }
    budget.lines++;
    const { suppressed } = budget;
    budget.suppressed = 0;
    return suppressed;
  }

  return pino(
    {
      level,
      hooks: {
        logMethod(args, method, levelNumber) {
          const fields: unknown = args[0];
          const suppressed = levelNumber < lowest || !hasEvent(fields) ? 0 : spend(fields.event);
          if (suppressed === null) return;
          if (suppressed === 0 || !hasEvent(fields)) method.apply(this, args);
          else Reflect.apply(method, this, [{ ...fields, suppressed }, ...args.slice(1)]);
        },
      },
    },
    destination,
  );
}

function hasEvent(fields: unknown): fields is { event: string } {
  return (
    typeof fields === 'object' && fields !== null && 'event' in fields && typeof fields.event === 'string'
  );
}
