import type { Distribution, Tail } from './likelihood.ts';
import {
  filterRepeatedExtreme,
  fitDistribution,
  isFlat,
  MovingAverage,
  NULL_DISTRIBUTION,
  tailProbability,
} from './likelihood.ts';

/** Constants of the streaming likelihood; model reference, section 7.1. All but the tail count rows. */
export interface LikelihoodParameters {
  /** Rows left out of every fit because the model was still new, 0 or more. */
  readonly learningPeriod: number;
  /** Rows after those that the first fit waits for, 1 or more. */
  readonly estimationSamples: number;
  /** Rows a fit looks back over, at least `estimationSamples` and `averagingWindow`. */
  readonly historicWindowSize: number;
  /** A new fit whenever the number of rows seen is a multiple of this, 1 or more. */
  readonly reestimationPeriod: number;
  /** Raw scores averaged before they are compared, 1 or more. */
  readonly averagingWindow: number;
  readonly tail: Tail;
}

export const DEFAULT_LIKELIHOOD: LikelihoodParameters = {
  learningPeriod: 288,
  estimationSamples: 100,
  historicWindowSize: 8640,
  reestimationPeriod: 100,
  averagingWindow: 10,
  tail: 'one-sided',
};

/** Rows before the present one, oldest first: elements `offset` to `offset + length - 1` of both arrays. */
export interface LikelihoodHistory {
  readonly rawScores: Float64Array;
  readonly values: Float64Array;
  readonly offset: number;
  readonly length: number;
}

/** A fit for people to look at. */
export interface LikelihoodStanding {
  /** Of the normal distribution of averaged raw scores. */
  readonly mean: number;
  readonly standardDeviation: number;
  /** The moving average of the last raw scores, and those, oldest first. */
  readonly averageScore: number;
  readonly recentScores: readonly number[];
}

/** The anomaly score of the rows before the first fit. */
export const UNDECIDED_SCORE = 0.5;

/**
 * The anomaly score of a metric, row by row: 1 minus the tail probability of the averaged raw scores. A function of
 * the sequence of rows alone.
 *
 * It keeps no rows. Before a row that needs a new fit, `needsHistory()` tells how many of the rows before it the
 * caller must bring along; so the state is small enough to store with every batch.
 */
export class StreamingLikelihood {
  readonly parameters: LikelihoodParameters;
  #rowsSeen = 0;
  #fit: Fit | undefined;

  /** @throws RangeError when a constant breaks its rule. */
  constructor(parameters: Partial<LikelihoodParameters> = {}) {
    this.parameters = checked({ ...DEFAULT_LIKELIHOOD, ...parameters });
  }

  /** Rows seen so far. */
  get rowsSeen(): number {
    return this.#rowsSeen;
  }

  /** Rows that get 0.5 before the first fit. */
  get probationRows(): number {
    return this.parameters.learningPeriod + this.parameters.estimationSamples;
  }

  /** What the next row is held against, and where it stands; null before the first fit. */
  get standing(): LikelihoodStanding | null {
    if (!this.#fit) return null;
    const { distribution, average } = this.#fit;
    const recentScores = Array.from(average.window);
    return {
      mean: distribution.mean,
      standardDeviation: distribution.standardDeviation,
      averageScore: average.total / recentScores.length,
      recentScores,
    };
  }

  /** How many of the rows before the next one `next` must be given; 0 unless the next one brings a new fit. */
  needsHistory(): number {
    if (this.#rowsSeen < this.probationRows) return 0;
    if (this.#fit && this.#rowsSeen % this.parameters.reestimationPeriod !== 0) return 0;
    return Math.min(this.#rowsSeen, this.parameters.historicWindowSize);
  }

  /**
   * The anomaly score, 0 .. 1, of the next row.
   * @param rawScore the model's raw score, 0 .. 1.
   * @param history exactly the last `needsHistory()` rows before this one; ignored when that is 0.
   * @throws RangeError when a number is not finite (one would spoil every fit for thousands of rows), or the history
   * is not what is needed; nothing has changed then.
   */
  next(value: number, rawScore: number, history?: LikelihoodHistory): number {
    if (!Number.isFinite(value) || !Number.isFinite(rawScore))
      throw new RangeError(`value ${value} and raw score ${rawScore} must both be finite numbers`);
    const needed = this.needsHistory();
    if (needed > 0) this.#fit = this.#estimate(historyOf(needed, history));
    this.#rowsSeen++;
    const fit = this.#fit;
    if (!fit) return UNDECIDED_SCORE;
    const tail = tailProbability(fit.average.next(rawScore), fit.distribution, this.parameters.tail);
    const filtered = filterRepeatedExtreme(tail, fit.previousTail);
    fit.previousTail = tail;
    return 1 - filtered;
  }

  /** The state as bytes: a header and a few numbers (about 130 bytes), for `decodeState`. */
  encodeState(): Uint8Array {
    const fit = this.#fit;
    const numbers = fit
      ? [
          this.#rowsSeen,
          fit.distribution.mean,
          fit.distribution.variance,
          fit.previousTail,
          fit.average.total,
          ...fit.average.window,
        ]
      : [this.#rowsSeen];
    const bytes = new Uint8Array(HEADER_BYTES + 8 * numbers.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, MAGIC);
    view.setUint32(4, FORMAT_VERSION);
    numbers.forEach((number, i) => view.setFloat64(HEADER_BYTES + 8 * i, number));
    view.setUint32(8, checksum(bytes));
    return bytes;
  }

  /**
   * A likelihood that continues from `bytes` of `encodeState` under the same parameters.
   * @throws LikelihoodStateError when the bytes are damaged, cut, of another version, or of other parameters.
   */
  static decodeState(parameters: Partial<LikelihoodParameters>, bytes: Uint8Array): StreamingLikelihood {
    const likelihood = new StreamingLikelihood(parameters);
    const { averagingWindow } = likelihood.parameters;
    const [rowsSeen, mean, variance, previousTail, total, ...window] = readNumbers(bytes);
    const fitted = rowsSeen > likelihood.probationRows;
    const expected = fitted ? FITTED_NUMBERS + Math.min(averagingWindow, rowsSeen) : 1;
    const found = (bytes.length - HEADER_BYTES) / 8;
    if (found !== expected)
      throw new LikelihoodStateError(`it has ${found} numbers, but these parameters make ${expected}`);
    likelihood.#rowsSeen = rowsSeen;
    if (fitted) {
      if (variance <= 0 || previousTail < 0 || previousTail > 1)
        throw new LikelihoodStateError('it holds an impossible number');
      likelihood.#fit = {
        distribution: { mean, variance, standardDeviation: Math.sqrt(variance) },
        average: MovingAverage.continued(averagingWindow, Float64Array.from(window), total),
        previousTail,
      };
    }
    return likelihood;
  }

  /** Section 7.3: averages the history from an empty window and fits what lies after the learning period. */
  #estimate({ rawScores, values, offset, length }: LikelihoodHistory): Fit {
    const { learningPeriod, averagingWindow, tail } = this.parameters;
    const forgotten = this.#rowsSeen - length;
    const skip = Math.min(length, Math.max(0, learningPeriod - forgotten));
    const average = new MovingAverage(averagingWindow);
    const averages = new Float64Array(length);
    for (let i = 0; i < length; i++) averages[i] = average.next(rawScores[offset + i]);
    const distribution =
      skip === length || isFlat(values.subarray(offset + skip, offset + length))
        ? NULL_DISTRIBUTION
        : fitDistribution(averages.subarray(skip));
    return { distribution, average, previousTail: tailProbability(averages[length - 1], distribution, tail) };
  }
}

/** A streaming likelihood that remembers the rows it needs by itself, for whoever has no store to ask. */
export class LikelihoodWithHistory {
  readonly #likelihood: StreamingLikelihood;
  #rawScores: Float64Array = new Float64Array(1024);
  #values: Float64Array = new Float64Array(1024);
  #rows = 0;

  /** @throws RangeError when a constant breaks its rule. */
  constructor(parameters: Partial<LikelihoodParameters> = {}) {
    this.#likelihood = new StreamingLikelihood(parameters);
  }

  /** Anomaly score of the next row; see `StreamingLikelihood.next`. */
  next(value: number, rawScore: number): number {
    const length = this.#likelihood.needsHistory();
    const history = {
      rawScores: this.#rawScores,
      values: this.#values,
      offset: this.#rows - length,
      length,
    };
    const score = this.#likelihood.next(value, rawScore, history);
    this.#remember(value, rawScore);
    return score;
  }

  /** Appends a row. A full buffer drops what no fit will ask for again, or grows while that is too little to drop. */
  #remember(value: number, rawScore: number): void {
    const capacity = this.#values.length;
    if (this.#rows === capacity) {
      const kept = Math.min(this.#rows, this.#likelihood.parameters.historicWindowSize);
      const grown = kept > 0.75 * capacity ? 2 * capacity : capacity;
      this.#rawScores = moved(this.#rawScores.subarray(capacity - kept), grown);
      this.#values = moved(this.#values.subarray(capacity - kept), grown);
      this.#rows = kept;
    }
    this.#rawScores[this.#rows] = rawScore;
    this.#values[this.#rows++] = value;
  }
}

/** Bytes that are not the state of a likelihood with these parameters. */
export class LikelihoodStateError extends Error {
  override readonly name = 'LikelihoodStateError';
  readonly code = 'likelihood_state_damaged';

  constructor(reason: string) {
    super(`The stored likelihood state cannot be used: ${reason}.`);
  }
}

interface Fit {
  readonly distribution: Distribution;
  readonly average: MovingAverage;
  /** Tail probability of the row before, unfiltered: all that the filter asks of the past. */
  previousTail: number;
}

/** Bound of every constant: a history of a million rows is 16 MB. */
const MAX_ROWS = 1_000_000;

const MAGIC = 0x48544c4b; // "HTLK"
const FORMAT_VERSION = 1;
const HEADER_BYTES = 12;
/** Rows seen, mean, variance, previous tail and total; the averaging window follows. */
const FITTED_NUMBERS = 5;

function checked(parameters: LikelihoodParameters): LikelihoodParameters {
  const atLeast = (name: Exclude<keyof LikelihoodParameters, 'tail'>, least: number) => {
    const value = parameters[name];
    if (!Number.isSafeInteger(value) || value < least || value > MAX_ROWS)
      throw new RangeError(
        `likelihood.${name} must be a whole number of rows from ${least} to ${MAX_ROWS}, not ${value}`,
      );
  };
  atLeast('learningPeriod', 0);
  atLeast('estimationSamples', 1);
  atLeast('reestimationPeriod', 1);
  atLeast('averagingWindow', 1);
  atLeast('historicWindowSize', Math.max(parameters.estimationSamples, parameters.averagingWindow));
  if (!['one-sided', 'two-sided'].includes(parameters.tail))
    throw new RangeError(`likelihood.tail must be one-sided or two-sided, not ${parameters.tail}`);
  return parameters;
}

function historyOf(needed: number, history: LikelihoodHistory | undefined): LikelihoodHistory {
  if (history?.length !== needed)
    throw new RangeError(`a new fit needs the last ${needed} rows, not ${history?.length ?? 0}`);
  const end = history.offset + needed;
  if (history.offset < 0 || end > history.rawScores.length || end > history.values.length)
    throw new RangeError(`rows ${history.offset} to ${end} reach beyond the history's arrays`);
  return history;
}

/** The numbers of an encoded state, which are all finite; the first is a count. */
function readNumbers(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_BYTES + 8 || (bytes.length - HEADER_BYTES) % 8 !== 0)
    throw new LikelihoodStateError(`${bytes.length} bytes is no possible length`);
  if (view.getUint32(0) !== MAGIC) throw new LikelihoodStateError('it does not begin with "HTLK"');
  if (view.getUint32(4) !== FORMAT_VERSION)
    throw new LikelihoodStateError(`format version ${view.getUint32(4)} is not ${FORMAT_VERSION}`);
  if (view.getUint32(8) !== checksum(bytes)) throw new LikelihoodStateError('its checksum does not match');
  const numbers = Array.from({ length: (bytes.length - HEADER_BYTES) / 8 }, (_, i) =>
    view.getFloat64(HEADER_BYTES + 8 * i),
  );
  if (!numbers.every(Number.isFinite) || !Number.isSafeInteger(numbers[0]) || numbers[0] < 0)
    throw new LikelihoodStateError('it holds an impossible number');
  return numbers;
}

/** FNV-1a over what follows the header: changes with every single damaged byte. */
function checksum(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = HEADER_BYTES; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  return hash >>> 0;
}

function moved(kept: Float64Array, length: number): Float64Array {
  const target = new Float64Array(length);
  target.set(kept);
  return target;
}
