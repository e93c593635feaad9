import { Counter } from 'prom-client';
import type { RefusalReason } from './metric.ts';
import type { Telemetry } from './telemetry.ts';

/** What each reason means to whoever sends: the rule, and what to do. */
export const REFUSAL_EXPLANATIONS: Readonly<Record<RefusalReason, string>> = {
  malformed:
    'not "name value timestamp" with a decimal number as its value: see docs/listener.md for the format',
  not_utf8: 'not valid UTF-8: send names in UTF-8',
  line_too_long: 'longer than listener.graphite.maxLineBytes: send shorter lines or raise the limit',
  name_invalid: 'the name is empty or has control characters',
  name_too_long: 'the name has more than 255 characters',
  value_not_finite: 'the value is not a finite number: leave out samples without a value',
  time_invalid: 'the time is not a finite number: send epoch seconds',
  time_before_1990: 'the time lies before 1990: send epoch seconds',
  time_in_milliseconds: 'the time looks like milliseconds: send epoch seconds',
  time_too_far_ahead: 'the time lies more than 24 hours ahead: set the clock of the sender',
  duplicate: "the metric's last row has the same time",
  older: "the metric's last row is newer: send the samples of a metric in the order of their times",
};

const LOG_INTERVAL_MS = 60_000;
/** Examples of one reason that are logged in one interval at the most, so that no sender can fill the disk. */
const LOG_LINES_PER_INTERVAL = 5;
const EXAMPLE_CHARACTERS = 80;

interface LogBudget {
  intervalStartMs: number;
  lines: number;
  /** Refusals since the last line that was logged. */
  unlogged: number;
}

/**
 * Counts by reason every sample that is not stored, whichever stage refuses it, in
 * `htmengine_refused_samples_total{reason}`, and logs a few shortened examples. One per engine.
 */
export class RefusalCounter {
  readonly #telemetry: Telemetry;
  readonly #counter: Counter<'reason'>;
  readonly #nowMs: () => number;
  readonly #budgets = new Map<RefusalReason, LogBudget>();

  constructor(telemetry: Telemetry, nowMs: () => number = () => performance.now()) {
    this.#telemetry = telemetry;
    this.#nowMs = nowMs;
    this.#counter = new Counter({
      name: 'htmengine_refused_samples_total',
      help: 'Samples that were not stored, by reason',
      labelNames: ['reason'],
      registers: [telemetry.registry],
    });
    // A series that exists from the start at 0 is one whose first increase an alert can see.
    for (const reason of Object.keys(REFUSAL_EXPLANATIONS)) this.#counter.inc({ reason }, 0);
  }

  /** Counts `times` (>= 1) samples; `example` is the text of one of them, of any content: what is logged is cut and escaped. */
  count(reason: RefusalReason, times = 1, example?: string): void {
    this.#counter.inc({ reason }, times);
    const nowMs = this.#nowMs();
    const budget = this.#budget(reason, nowMs);
    budget.unlogged += times;
    if (budget.lines >= LOG_LINES_PER_INTERVAL) return;
    budget.lines++;
    this.#telemetry.log.warn(
      {
        event: 'samples.refused',
        reason,
        count: budget.unlogged,
        ...(example !== undefined && { example: printable(example) }),
      },
      `refused: ${REFUSAL_EXPLANATIONS[reason]}`,
    );
    budget.unlogged = 0;
  }

  #budget(reason: RefusalReason, nowMs: number): LogBudget {
    let budget = this.#budgets.get(reason);
    if (budget === undefined) {
      budget = { intervalStartMs: nowMs, lines: 0, unlogged: 0 };
      this.#budgets.set(reason, budget);
    } else if (nowMs - budget.intervalStartMs >= LOG_INTERVAL_MS) {
      budget.intervalStartMs = nowMs;
      budget.lines = 0;
    }
    return budget;
  }
}

/** Text from outside as it may be shown on a terminal: short, and without anything that is not a visible character. */
function printable(text: string): string {
  // Twice the length is enough for 80 characters, and no character is cut in the middle of those that are kept.
  const characters = Array.from(text.slice(0, 2 * EXAMPLE_CHARACTERS));
  const shown = characters.slice(0, EXAMPLE_CHARACTERS).join('');
  const escaped = shown.replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
  return shown.length < text.length ? `${escaped}...` : escaped;
}
