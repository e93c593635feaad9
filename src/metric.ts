/**
 * The domain's nouns: metrics and their states, samples, results, and the rules that decide which samples are
 * accepted at all. Pure; no I/O, no clock.
 */

/** States of a metric, stored as integers (the original's bit flags; an instance's status is their OR). */
export const MetricStatus = {
  /** Rows are stored, there is no model. */
  UNMONITORED: 0,
  /** The model exists and is healthy. */
  ACTIVE: 1,
  /** A generation is open, its model is not built yet. */
  CREATE_PENDING: 2,
  /** The model failed; `message` says why. Rows go on being stored. */
  ERROR: 4,
  /** Monitoring is asked for; waiting for enough rows to know the range. */
  PENDING_DATA: 8,
} as const;
export type MetricStatus = (typeof MetricStatus)[keyof typeof MetricStatus];

/** The name of a status value, as shown to people. */
export function statusName(status: MetricStatus): keyof typeof MetricStatus {
  const entry = Object.entries(MetricStatus).find(([, value]) => value === status);
  if (entry === undefined) throw new RangeError(`unknown metric status ${status}`);
  return entry[0] as keyof typeof MetricStatus;
}

/** What may happen to a metric, and what it turns into from each state in which that may happen. */
const TRANSITIONS = {
  /** `monitor` with a range, or with enough rows to estimate one. */
  monitor: { from: [MetricStatus.UNMONITORED], to: MetricStatus.CREATE_PENDING },
  /** `monitor` without a range and with too few rows. */
  awaitData: { from: [MetricStatus.UNMONITORED], to: MetricStatus.PENDING_DATA },
  /** Enough rows came, or `activate` was called. */
  activate: { from: [MetricStatus.PENDING_DATA], to: MetricStatus.CREATE_PENDING },
  /** The scheduler recorded that the model was built (in T1, rows or not). */
  modelBuilt: { from: [MetricStatus.CREATE_PENDING], to: MetricStatus.ACTIVE },
  /** Building or running the model failed in a way that repeats. */
  fail: { from: [MetricStatus.CREATE_PENDING, MetricStatus.ACTIVE], to: MetricStatus.ERROR },
  /** A failed model is tried again, from where it stood. */
  retry: { from: [MetricStatus.ERROR], to: MetricStatus.CREATE_PENDING },
  /** A new generation is asked for; it opens when the old results are cleared and, without a range, the rows are there. */
  relearn: {
    from: [MetricStatus.ACTIVE, MetricStatus.CREATE_PENDING, MetricStatus.ERROR, MetricStatus.PENDING_DATA],
    to: MetricStatus.PENDING_DATA,
  },
  unmonitor: {
    from: [MetricStatus.ACTIVE, MetricStatus.CREATE_PENDING, MetricStatus.ERROR, MetricStatus.PENDING_DATA],
    to: MetricStatus.UNMONITORED,
  },
} as const satisfies Record<string, { from: readonly MetricStatus[]; to: MetricStatus }>;

export type MetricEvent = keyof typeof TRANSITIONS;

/** The state `event` leads to from `status`, or null where that may not happen. The one place that knows. */
export function nextStatus(status: MetricStatus, event: MetricEvent): MetricStatus | null {
  const { from, to } = TRANSITIONS[event];
  return (from as readonly MetricStatus[]).includes(status) ? to : null;
}

/** The states from which `event` may happen, for conditional updates. */
export function statusesBefore(event: MetricEvent): readonly MetricStatus[] {
  return TRANSITIONS[event].from;
}

/** The datasource of metrics that come in through listeners. */
export const CUSTOM_DATASOURCE = 'custom';

/** One metric as stored. Fields that the original has keep its meaning. */
export interface Metric {
  /** 32 hex digits; `uid` in the database and on the wire. */
  readonly metricId: string;
  readonly name: string;
  readonly datasource: string;
  readonly description: string | null;
  /** The resource or instance the metric belongs to; the metric's name unless the model spec says otherwise. */
  readonly server: string | null;
  readonly location: string | null;
  /** The canonical model spec (JSON) while monitored. */
  readonly parameters: string | null;
  /** The frozen model parameters (JSON) while a generation is open. */
  readonly modelParams: string | null;
  readonly status: MetricStatus;
  /** Why the metric is in ERROR. */
  readonly message: string | null;
  readonly pollIntervalSeconds: number;
  /** Highest rowid ever given to a row of this metric; 0 before the first. */
  readonly lastRowid: number;
  /** Time of that row, epoch seconds. */
  readonly lastTimestamp: number | null;
  /** Which share of the work the metric belongs to; fixed at creation. */
  readonly partition: number;
}

/** A stretch of time, both ends inclusive: whole seconds UTC since 1970. */
export interface TimeRange {
  readonly fromTimestamp: number;
  readonly toTimestamp: number;
}

/** One value of one metric at one time. */
export interface Sample {
  readonly name: string;
  /** Finite; never -0. */
  readonly value: number;
  /** Whole seconds UTC since 1970. */
  readonly timestamp: number;
}

/** A row with its scores, as subscribers and readers see it. */
export interface Result {
  readonly metricId: string;
  readonly name: string;
  readonly generation: number;
  readonly rowid: number;
  /** Whole seconds UTC since 1970. */
  readonly timestamp: number;
  readonly value: number;
  /** The model's: share of active columns it had not predicted, 0..1. */
  readonly rawAnomalyScore: number;
  /** 1 minus the tail probability of the likelihood; 0.5 until the first fit. */
  readonly anomalyScore: number;
  /** `anomalyScore` on its log scale, 0..1; derived, never stored. */
  readonly logLikelihood: number;
  readonly displayValue: number;
  /** Steps ahead -> predicted value; null while the classifier is off. */
  readonly multiStepBestPredictions: Readonly<Record<string, number>> | null;
  /** The row was stored before monitoring began: scored and published, never alerted. */
  readonly backlog: boolean;
}

/** Why a sample was not stored. `duplicate` and `older` are found by the storer, the others before the bus. */
export type RefusalReason =
  | 'malformed'
  | 'not_utf8'
  | 'line_too_long'
  | 'name_invalid'
  | 'name_too_long'
  | 'value_not_finite'
  | 'time_invalid'
  | 'time_before_1990'
  | 'time_in_milliseconds'
  | 'time_too_far_ahead'
  | 'duplicate'
  | 'older';

/** Longest name of a metric, in characters (Unicode code points). */
export const MAX_NAME_CHARACTERS = 255;
const EARLIEST_TIMESTAMP = 631_152_000; // 1990-01-01T00:00:00Z
const MAX_SECONDS_AHEAD = 86_400;
/** Times from here on are milliseconds by mistake: as seconds they lie beyond the year 5138. */
const MILLISECONDS_FROM = 100_000_000_000;

// eslint-disable-next-line no-control-regex -- control characters are exactly what names must not have
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f-\u009f]/;

/** Why `name` may not be the name of a metric, or null where it may: 1-255 characters of any script, no control characters, well-formed Unicode. */
export function checkName(name: string): 'name_invalid' | 'name_too_long' | null {
  if (name === '' || CONTROL_CHARACTER.test(name) || !name.isWellFormed()) return 'name_invalid';
  if (name.length <= MAX_NAME_CHARACTERS) return null;
  if (name.length > 2 * MAX_NAME_CHARACTERS) return 'name_too_long';
  return Array.from(name).length > MAX_NAME_CHARACTERS ? 'name_too_long' : null;
}

/** Why a time may not be a row's, or null where it may. Both in epoch seconds, `timestamp` whole or not. */
export function checkTimestamp(
  timestamp: number,
  nowSeconds: number,
): 'time_invalid' | 'time_before_1990' | 'time_in_milliseconds' | 'time_too_far_ahead' | null {
  if (!Number.isFinite(timestamp)) return 'time_invalid';
  if (timestamp < EARLIEST_TIMESTAMP) return 'time_before_1990';
  if (timestamp >= MILLISECONDS_FROM) return 'time_in_milliseconds';
  if (timestamp > nowSeconds + MAX_SECONDS_AHEAD) return 'time_too_far_ahead';
  return null;
}

/**
 * The sample for these three, by the rules every way in shares: the time truncated to whole seconds, a missing
 * time or -1 replaced by now, -0 by 0.
 */
export function toSample(
  name: string,
  value: number,
  timestamp: number | undefined,
  nowSeconds: number,
): { sample: Sample; refused?: undefined } | { refused: RefusalReason; sample?: undefined } {
  const nameRefused = checkName(name);
  if (nameRefused !== null) return { refused: nameRefused };
  if (!Number.isFinite(value)) return { refused: 'value_not_finite' };
  const time = timestamp === undefined || timestamp === -1 ? nowSeconds : timestamp;
  const timeRefused = checkTimestamp(time, nowSeconds);
  if (timeRefused !== null) return { refused: timeRefused };
  return { sample: { name, value: value === 0 ? 0 : value, timestamp: Math.trunc(time) } };
}
