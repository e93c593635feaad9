import { ArenaFormatError } from './arena.ts';
import type { Arena, SectionSpec } from './arena.ts';
import { ClassifierWeights } from './classifier-weights.ts';
import type { WeightLimits } from './classifier-weights.ts';
import { exp } from './numeric.ts';

export { ClassifierCapacityError } from './classifier-weights.ts';

/** Constants of a classifier. */
export interface ClassifierParameters {
  /** How many records ahead to predict: 1 to 16 different whole numbers, ascending, from 0 to 100. */
  readonly steps: readonly number[];
  /** Learning rate of the weights, above 0. */
  readonly alpha: number;
  /** Learning rate of the value a bucket stands for, 0 .. 1. */
  readonly actValueAlpha: number;
  /** Cells of the temporal memory: columns times cells per column. */
  readonly cells: number;
  readonly cellsPerColumn: number;
  /** Most cells that can be active in one record. */
  readonly maxActiveCells: number;
  /** Bucket indices lie below this; 1000 for the random distributed encoder. */
  readonly maxBuckets: number;
  /** Most bytes the weights may take; 256 MiB when not given. */
  readonly maxWeightBytes?: number;
}

/** A predicted value and its likelihood, 0 .. 1. */
export interface Prediction {
  /** NaN: the value of no known bucket, in a record without a value. */
  readonly value: number;
  readonly likelihood: number;
}

/**
 * Learns which value follows the active cells how many records later: one softmax layer per step. Model reference,
 * section 8, with the correct softmax of 8.3 in place of the original's.
 */
export class SdrClassifier {
  /**
   * The sections a classifier needs in its model's arena, in order.
   * @throws RangeError if a parameter is outside its range.
   */
  static schema(p: ClassifierParameters): SectionSpec[] {
    checkParameters(p);
    const records = historyLength(p);
    return [
      { name: 'classifierHistory', type: 'u32', length: 2 },
      { name: 'classifierRecords', type: 'f64', length: records },
      { name: 'classifierCounts', type: 'u32', length: records },
      { name: 'classifierCells', type: 'u32', length: records * p.maxActiveCells },
      ...ClassifierWeights.schema(weightLimits(p)),
    ];
  }

  /** A new classifier over the zeroed sections `firstSection`, ... of `arena`. */
  static create(arena: Arena, firstSection: number, p: ClassifierParameters): SdrClassifier {
    const weights = ClassifierWeights.create(arena, firstSection + OWN_SECTIONS, weightLimits(p));
    return new SdrClassifier(arena, firstSection, p, weights);
  }

  /**
   * The classifier whose state is in the sections `firstSection`, ... of a loaded `arena`.
   * @throws ArenaFormatError when the sections are not a state a classifier can have.
   */
  static attach(arena: Arena, firstSection: number, p: ClassifierParameters): SdrClassifier {
    const weights = ClassifierWeights.attach(arena, firstSection + OWN_SECTIONS, weightLimits(p));
    const classifier = new SdrClassifier(arena, firstSection, p, weights);
    classifier.#checkHistory();
    return classifier;
  }

  /**
   * The most likely value for each of the steps, in their order, as of the last record. NaN before the first record,
   * and where a record without a value leaves only buckets never seen. Overwritten by the next `compute`.
   */
  readonly bestPredictions: Float64Array;

  readonly #parameters: ClassifierParameters;
  readonly #weights: ClassifierWeights;
  /** Number of records remembered, and where the newest one is in the ring. */
  #history!: Uint32Array;
  #records!: Float64Array;
  #counts!: Uint32Array;
  #cells!: Uint32Array;

  /** Result of the last record, per element of a row of weights: its value, and its likelihood for each step. */
  #values = new Float64Array(0);
  #likelihoods: Float64Array[] = [];
  #inferredBelow = 0;
  #inferredColumns = 0;
  #change = new Float64Array(0);
  readonly #merged = new Map<number, number>();

  private constructor(
    arena: Arena,
    firstSection: number,
    p: ClassifierParameters,
    weights: ClassifierWeights,
  ) {
    this.#parameters = p;
    this.#weights = weights;
    this.bestPredictions = new Float64Array(p.steps.length).fill(NaN);
    arena.part(firstSection, (part) => {
      this.#history = part.view(0);
      this.#records = part.view(1);
      this.#counts = part.view(2);
      this.#cells = part.view(3);
    });
  }

  /**
   * One record: predicts with what was learned before it, then learns from it.
   * @param recordNumber counts records; not smaller than in the call before. The same number again adds nothing to the history.
   * @param cells the active cells, `cells[0 .. count)`.
   * @param bucket the encoder's bucket of the value; -1 if the record has no value (`value` NaN): nothing is learned then.
   * @throws RangeError if an argument breaks these rules. @throws ClassifierCapacityError if the weights outgrow their
   * limit; the classifier cannot go on then.
   */
  compute(
    recordNumber: number,
    cells: Uint32Array,
    count: number,
    bucket: number,
    value: number,
    learn: boolean,
  ): void {
    this.#checkRecord(recordNumber, count, bucket);
    this.#remember(recordNumber, cells, count);
    this.#infer(cells, count, value);
    if (learn && bucket >= 0) this.#learn(recordNumber, bucket, value);
  }

  /**
   * The distinct values predicted for step number `index` of the parameters, most likely first: at most 8, and apart
   * from the first only such as have a likelihood of 0.0001. Of the last record; empty before the first.
   */
  predictions(index: number): Prediction[] {
    this.#merge(index);
    return Array.from(this.#merged, ([value, likelihood]) => ({ value, likelihood }))
      .sort((a, b) => b.likelihood - a.likelihood)
      .filter(({ likelihood }, rank) => rank === 0 || (rank < 8 && likelihood >= 0.0001));
  }

  /** The likelihood, for step number `index`, of every bucket from 0 to the highest seen. Of the last record. */
  bucketLikelihoods(index: number): Float64Array {
    const likelihoods = this.#likelihoods[index];
    const length = this.#inferredBelow + Math.max(0, this.#inferredColumns - 1);
    return Float64Array.from(
      { length },
      (_, bucket) => likelihoods[Math.max(0, bucket - this.#inferredBelow + 1)],
    );
  }

  /** Number of the newest record; 0 before the first. */
  get lastRecord(): number {
    const [remembered, newest] = this.#history;
    return remembered > 0 ? this.#records[newest] : 0;
  }

  #checkRecord(recordNumber: number, count: number, bucket: number): void {
    if (!Number.isSafeInteger(recordNumber) || recordNumber < this.lastRecord)
      throw new RangeError(`record number ${recordNumber} is below the last one`);
    if (count > this.#parameters.maxActiveCells)
      throw new RangeError(`${count} active cells are more than ${this.#parameters.maxActiveCells}`);
    if (bucket >= this.#parameters.maxBuckets)
      throw new RangeError(`bucket ${bucket} is not below ${this.#parameters.maxBuckets}`);
  }

  #remember(recordNumber: number, cells: Uint32Array, count: number): void {
    const [remembered, newest] = this.#history;
    if (remembered > 0 && recordNumber === this.#records[newest]) return;
    const slot = remembered > 0 ? (newest + 1) % this.#records.length : 0;
    this.#history[0] = Math.min(remembered + 1, this.#records.length);
    this.#history[1] = slot;
    this.#records[slot] = recordNumber;
    this.#counts[slot] = count;
    this.#cells.set(cells.subarray(0, count), slot * this.#parameters.maxActiveCells);
  }

  #infer(cells: Uint32Array, count: number, value: number): void {
    const weights = this.#weights;
    this.#makeRoom();
    this.#inferredBelow = weights.bucketsBelow;
    this.#inferredColumns = weights.columns;
    const unseenValue = this.#parameters.steps[0] === 0 ? 0 : value;
    this.#values[0] = unseenValue;
    for (let column = 1; column < weights.columns; column++) {
      const known = weights.value(column);
      this.#values[column] = known === known ? known : unseenValue;
    }
    for (let step = 0; step < this.#likelihoods.length; step++) {
      weights.sum(cells, 0, count, step, this.#likelihoods[step]);
      softmax(this.#likelihoods[step], weights.columns, weights.bucketsBelow);
      this.bestPredictions[step] = this.#merge(step);
    }
  }

  #learn(recordNumber: number, bucket: number, value: number): void {
    const { steps, alpha, actValueAlpha, maxActiveCells } = this.#parameters;
    const weights = this.#weights;
    const column = weights.makeColumn(bucket);
    const known = weights.value(column);
    weights.setValue(column, known === known ? (1 - actValueAlpha) * known + actValueAlpha * value : value);
    if (this.#change.length < weights.columns) this.#change = new Float64Array(weights.stride);
    const change = this.#change;
    for (let slot = 0; slot < this.#history[0]; slot++) {
      const step = steps.indexOf(recordNumber - this.#records[slot]);
      if (step < 0) continue;
      const from = slot * maxActiveCells;
      const to = from + this.#counts[slot];
      weights.makeRows(this.#cells, from, to);
      weights.sum(this.#cells, from, to, step, change);
      softmax(change, weights.columns, weights.bucketsBelow);
      for (let c = 0; c < weights.columns; c++) change[c] = alpha * ((c === column ? 1 : 0) - change[c]);
      weights.add(this.#cells, from, to, step, change);
    }
  }

  /** Adds up the likelihoods of equal values, in bucket order, and returns the value that comes out best while doing so. */
  #merge(step: number): number {
    const likelihoods = this.#likelihoods[step];
    const merged = this.#merged;
    merged.clear();
    let best = NaN;
    let bestLikelihood = 0;
    for (let column = 0; column < this.#inferredColumns; column++) {
      const value = this.#values[column];
      let likelihood = merged.get(value) ?? 0;
      if (column > 0) likelihood += likelihoods[column];
      else for (let i = 0; i < this.#inferredBelow; i++) likelihood += likelihoods[0];
      if (likelihood > 0) merged.set(value, likelihood);
      if (likelihood > bestLikelihood) {
        bestLikelihood = likelihood;
        best = value;
      }
    }
    return best;
  }

  #makeRoom(): void {
    const { stride } = this.#weights;
    if (this.#values.length >= stride) return;
    this.#values = new Float64Array(stride);
    this.#likelihoods = this.#parameters.steps.map(() => new Float64Array(stride));
  }

  #checkHistory(): void {
    const [remembered, newest] = this.#history;
    const slots = this.#records.length;
    const full = remembered === slots;
    if (remembered > slots || newest >= slots || (!full && remembered > 0 && newest !== remembered - 1))
      throw new ArenaFormatError(`classifier history of ${remembered} records is impossible`);
    for (let age = 0; age < remembered; age++) {
      const slot = (newest + slots - age) % slots;
      const next = (slot + 1) % slots;
      if (
        !Number.isSafeInteger(this.#records[slot]) ||
        (age > 0 && this.#records[slot] >= this.#records[next])
      )
        throw new ArenaFormatError('classifier history is not in order');
      const { maxActiveCells, cells } = this.#parameters;
      const active = this.#cells.subarray(slot * maxActiveCells, slot * maxActiveCells + this.#counts[slot]);
      if (this.#counts[slot] > maxActiveCells || active.some((cell) => cell >= cells))
        throw new ArenaFormatError('classifier history holds impossible cells');
    }
  }
}

/** Sections of the history; the weights follow. */
const OWN_SECTIONS = 4;

/** Turns sums into likelihoods in place; element 0 stands for `below` equal ones, which may be none. */
function softmax(x: Float64Array, length: number, below: number): void {
  let max = below > 0 ? x[0] : -Infinity;
  for (let i = 1; i < length; i++) if (x[i] > max) max = x[i];
  let sum = 0;
  x[0] = below > 0 ? exp(x[0] - max) : 0;
  // Added one by one, so that the rounding is that of a full row.
  for (let i = 0; i < below; i++) sum += x[0];
  for (let i = 1; i < length; i++) sum += x[i] = exp(x[i] - max);
  for (let i = 0; i < length; i++) x[i] /= sum;
}

/** Every step must find its record. */
function historyLength({ steps }: ClassifierParameters): number {
  return Math.max(...steps) + 1;
}

function weightLimits(p: ClassifierParameters): WeightLimits {
  return {
    cells: p.cells,
    cellsPerColumn: p.cellsPerColumn,
    stepCount: p.steps.length,
    maxBuckets: p.maxBuckets,
    maxWeightBytes: p.maxWeightBytes ?? 2 ** 28,
  };
}

function checkParameters(p: ClassifierParameters): void {
  const refuse = (name: keyof ClassifierParameters, rule: string) => {
    throw new RangeError(`classifier.${name} must be ${rule}, not ${String(p[name])}`);
  };
  const whole = (name: Exclude<keyof ClassifierParameters, 'steps'>, least: number, most: number) => {
    const value = p[name] ?? least;
    if (!Number.isInteger(value) || value < least || value > most)
      refuse(name, `a whole number from ${least} to ${most}`);
  };
  const ascending = p.steps.every(
    (step, i) => Number.isInteger(step) && step >= 0 && step <= 100 && (i === 0 || step > p.steps[i - 1]),
  );
  if (p.steps.length < 1 || p.steps.length > 16 || !ascending)
    refuse('steps', '1 to 16 different whole numbers from 0 to 100, ascending');
  if (!(p.alpha > 0 && p.alpha < Infinity)) refuse('alpha', 'above 0');
  if (!(p.actValueAlpha >= 0 && p.actValueAlpha <= 1)) refuse('actValueAlpha', 'from 0 to 1');
  whole('cells', 1, 2 ** 18);
  whole('cellsPerColumn', 1, p.cells);
  whole('maxActiveCells', 0, p.cells);
  whole('maxBuckets', 1, 2 ** 16);
  whole('maxWeightBytes', 0, 2 ** 32);
}
