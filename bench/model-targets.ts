import type { ModelCost } from './model-cost.ts';
import type { Variant } from './nab-detector.ts';

/** What a model has to cost at most, and what it should: figures of the project, for the full series named. */
interface Target {
  readonly what: string;
  readonly unit: 'ms' | 'MiB' | 'MB';
  readonly must: number;
  readonly aim: number;
  readonly variant: Variant;
  readonly series: string;
  readonly of: (cost: ModelCost) => number;
}

/** A target and how it stands. */
export interface Judgement {
  readonly what: string;
  readonly unit: string;
  readonly must: number;
  readonly aim: number;
  readonly measured: number;
  readonly verdict: 'aim met' | 'must met' | 'missed';
}

/** The targets that the costs say something about: those of series that were run to the end, without a ceiling. */
export function judge(costs: readonly ModelCost[]): Judgement[] {
  return TARGETS.flatMap(({ what, unit, must, aim, variant, series, of }) => {
    const cost = costs.find(
      (one) =>
        one.variant === variant &&
        one.series === series &&
        one.rows === FULL_ROWS.get(series) &&
        one.ceiling === null,
    );
    if (cost === undefined) return [];
    const measured = of(cost);
    const verdict = measured <= aim ? 'aim met' : measured <= must ? 'must met' : 'missed';
    const name = series.replace(/^.*\//, '').replace('.csv', '');
    return [{ what: `${what}, ${variant}, ${name}`, unit, must, aim, measured, verdict }];
  });
}

const AMZN = 'realTweets/Twitter_volume_AMZN.csv';
const TAXI = 'realKnownCause/nyc_taxi.csv';
const FULL_ROWS = new Map([
  [AMZN, 15_831],
  [TAXI, 10_320],
]);

const recordMs = ({ record }: ModelCost) => record.medianUs / 1000;
const turnMs = ({ turns }: ModelCost) => turns.medianUs / 1000;
const warmMib = ({ warmBytes }: ModelCost) => warmBytes / 2 ** 20;
const newMib = ({ newBytes }: ModelCost) => newBytes / 2 ** 20;
const checkpointMb = ({ checkpointBytes }: ModelCost) => checkpointBytes / 1e6;
const swapMs = ({ saveMs, loadMs }: ModelCost) => saveMs + loadMs;

const TARGETS: readonly Target[] = [
  target('record, one warm model', 'ms', 'cpp', AMZN, 0.12, 0.06, recordMs),
  target('record, one warm model', 'ms', 'cpp', TAXI, 0.35, 0.15, recordMs),
  target('record, one warm model', 'ms', 'tm_cpp', AMZN, 0.1, 0.04, recordMs),
  target('record, one warm model', 'ms', 'tm_cpp', TAXI, 0.22, 0.1, recordMs),
  target('record, 24 models in turn', 'ms', 'cpp', AMZN, 0.35, 0.2, turnMs),
  target('record, 24 models in turn', 'ms', 'cpp', TAXI, 0.35, 0.2, turnMs),
  target('record, 24 models in turn', 'ms', 'tm_cpp', AMZN, 0.22, 0.1, turnMs),
  target('record, 24 models in turn', 'ms', 'tm_cpp', TAXI, 0.22, 0.1, turnMs),
  target('warm model', 'MiB', 'cpp', AMZN, 2.5, 1, warmMib),
  target('warm model', 'MiB', 'cpp', TAXI, 12, 7, warmMib),
  target('new model', 'MiB', 'cpp', AMZN, 1, 0.3, newMib),
  target('checkpoint', 'MB', 'cpp', AMZN, 0.15, 0.08, checkpointMb),
  target('checkpoint', 'MB', 'cpp', TAXI, 1.8, 1.2, checkpointMb),
  target('save + load', 'ms', 'cpp', AMZN, 15, 6, swapMs),
  target('save + load', 'ms', 'cpp', TAXI, 100, 40, swapMs),
  target('create', 'ms', 'cpp', AMZN, 20, 5, ({ createMs }) => createMs),
];

function target(
  what: string,
  unit: Target['unit'],
  variant: Variant,
  series: string,
  must: number,
  aim: number,
  of: Target['of'],
): Target {
  return { what, unit, variant, series, must, aim, of };
}
