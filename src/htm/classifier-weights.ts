import { ArenaFormatError } from './arena.ts';
import type { Arena, ArenaPart, SectionSpec } from './arena.ts';

/** What fixes the size of a classifier's weights. */
export interface WeightLimits {
  /** Input bits: columns times cells per column. */
  readonly cells: number;
  /** Weights are made for so many neighbouring cells at a time: a column that becomes active first does so with all its cells. */
  readonly cellsPerColumn: number;
  /** Prediction steps; each has weights of its own. */
  readonly stepCount: number;
  /** Bucket indices lie below this. */
  readonly maxBuckets: number;
  /** Most bytes the weights may take. */
  readonly maxWeightBytes: number;
}

/**
 * Weights of every (cell, step, bucket), and the value each bucket stands for, in an arena. Rows exist for columns
 * that learned something; a row has one element for all buckets below the lowest one seen (they were never a target,
 * so their weights are equal), then one for each bucket from that one to the highest. For the random distributed
 * encoder, whose buckets begin in the middle of a thousand, that is a small part of the full matrix.
 */
export class ClassifierWeights {
  /** The sections the weights take, in order. */
  static schema(limits: WeightLimits): SectionSpec[] {
    const columns = limits.maxBuckets + 1;
    return [
      { name: 'classifierShape', type: 'u32', length: SHAPE_WORDS },
      { name: 'classifierBlocks', type: 'u32', length: Math.ceil(limits.cells / limits.cellsPerColumn) },
      { name: 'classifierValues', type: 'f64', length: Math.min(16, columns), maxLength: columns },
      {
        name: 'classifierWeights',
        type: 'f64',
        length: 0,
        maxLength: Math.floor(limits.maxWeightBytes / 8),
      },
    ];
  }

  /** Empty weights over zeroed sections. */
  static create(arena: Arena, firstSection: number, limits: WeightLimits): ClassifierWeights {
    const weights = new ClassifierWeights(arena, firstSection, limits);
    // As in the originals, bucket 0 is there from the start.
    weights.#shape[LOWEST] = 1;
    weights.#shape[END] = 1;
    return weights;
  }

  /** @throws ArenaFormatError when the sections do not agree with each other. */
  static attach(arena: Arena, firstSection: number, limits: WeightLimits): ClassifierWeights {
    const weights = new ClassifierWeights(arena, firstSection, limits);
    weights.#check();
    return weights;
  }

  readonly #limits: WeightLimits;
  readonly #part: ArenaPart;
  readonly #rowsPerBlock: number;
  #shape!: Uint32Array;
  /** 1 + the block of each group of cells, 0 without one. */
  #blockOf!: Uint32Array;
  #values!: Float64Array;
  #weights!: Float64Array;

  private constructor(arena: Arena, firstSection: number, limits: WeightLimits) {
    this.#limits = limits;
    this.#rowsPerBlock = limits.cellsPerColumn * limits.stepCount;
    this.#part = arena.part(firstSection, (part) => {
      this.#shape = part.view(0);
      this.#blockOf = part.view(1);
      this.#values = part.view(2);
      this.#weights = part.view(3);
    });
  }

  /** How many buckets element 0 stands for: all below the lowest seen. May be 0. */
  get bucketsBelow(): number {
    return this.#shape[LOWEST];
  }

  /** Elements of a row in use. */
  get columns(): number {
    return this.#shape[END] - this.#shape[LOWEST] + 1;
  }

  /** Elements a row has room for. */
  get stride(): number {
    return this.#values.length;
  }

  /** The value the bucket of element `column` (1 or more) stands for; NaN while it was never seen. */
  value(column: number): number {
    return this.#values[column];
  }

  setValue(column: number, value: number): void {
    this.#values[column] = value;
  }

  /** Adds up the rows of `cells[from .. to)` for a step into `out[0 .. columns)`. */
  sum(cells: Uint32Array, from: number, to: number, step: number, out: Float64Array): void {
    const columns = this.columns;
    const weights = this.#weights;
    out.fill(0, 0, columns);
    for (let i = from; i < to; i++) {
      const row = this.#rowOf(cells[i], step);
      if (row >= 0) for (let column = 0; column < columns; column++) out[column] += weights[row + column];
    }
  }

  /** Adds `change[0 .. columns)` to each of the rows of `cells[from .. to)` for a step; all must have a block. */
  add(cells: Uint32Array, from: number, to: number, step: number, change: Float64Array): void {
    const columns = this.columns;
    const weights = this.#weights;
    for (let i = from; i < to; i++) {
      const row = this.#rowOf(cells[i], step);
      for (let column = 0; column < columns; column++) weights[row + column] += change[column];
    }
  }

  /**
   * Gives every cell of `cells[from .. to)` rows. May resize the arena: views of it are to be fetched again.
   * @throws ClassifierCapacityError
   */
  makeRows(cells: Uint32Array, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const group = Math.floor(cells[i] / this.#limits.cellsPerColumn);
      if (this.#blockOf[group] === 0) this.#blockOf[group] = ++this.#shape[BLOCKS];
    }
    this.#makeRoomForBlocks(this.#shape[BLOCKS]);
  }

  /**
   * The element of `bucket`, made if need be. May resize the arena.
   * @throws ClassifierCapacityError
   */
  makeColumn(bucket: number): number {
    const lowest = this.#shape[LOWEST];
    const end = this.#shape[END];
    if (lowest === end) {
      // Nothing was learned yet: any bucket may be the lowest.
      this.#shape[LOWEST] = bucket;
      this.#shape[END] = bucket;
      this.#appendColumns(bucket + 1);
    } else if (bucket >= end) {
      this.#makeRoomForColumns(bucket - lowest + 2);
      this.#appendColumns(bucket + 1);
    } else if (bucket < lowest) {
      this.#makeRoomForColumns(end - bucket + 1);
      this.#insertColumns(lowest - bucket);
    }
    return bucket - this.#shape[LOWEST] + 1;
  }

  /** The index of the row's element 0; negative without a block. */
  #rowOf(cell: number, step: number): number {
    const { cellsPerColumn, stepCount } = this.#limits;
    const group = Math.floor(cell / cellsPerColumn);
    const row = (this.#blockOf[group] - 1) * cellsPerColumn + (cell - group * cellsPerColumn);
    return (row * stepCount + step) * this.stride;
  }

  /** The room above the highest bucket is all zeros: what a bucket's weights begin with. */
  #appendColumns(end: number): void {
    const columns = this.columns;
    this.#shape[END] = end;
    this.#values.fill(NaN, columns, this.columns);
  }

  /** Splits buckets off element 0: their weights begin as its weights are now. */
  #insertColumns(count: number): void {
    const columns = this.columns;
    const stride = this.stride;
    this.#values.copyWithin(1 + count, 1, columns).fill(NaN, 1, 1 + count);
    const used = this.#shape[BLOCKS] * this.#rowsPerBlock * stride;
    for (let row = 0; row < used; row += stride) {
      this.#weights.copyWithin(row + 1 + count, row + 1, row + columns);
      this.#weights.fill(this.#weights[row], row + 1, row + 1 + count);
    }
    this.#shape[LOWEST] -= count;
  }

  #makeRoomForColumns(columns: number): void {
    const old = this.stride;
    if (columns <= old) return;
    const stride = Math.min(columns + (columns >>> 1), this.#limits.maxBuckets + 1);
    const rows = this.#shape[BLOCKS] * this.#rowsPerBlock;
    this.#refuseBeyondLimit(rows * stride);
    this.#part.resize([
      [2, stride],
      [3, rows * stride],
    ]);
    for (let row = rows - 1; row >= 0; row--) {
      this.#weights.copyWithin(row * stride, row * old, (row + 1) * old);
      this.#weights.fill(0, row * stride + old, (row + 1) * stride);
    }
  }

  #makeRoomForBlocks(blocks: number): void {
    const perBlock = this.#rowsPerBlock * this.stride;
    if (blocks * perBlock <= this.#weights.length) return;
    this.#refuseBeyondLimit(blocks * perBlock);
    const wanted = Math.min(blocks + (blocks >>> 1), this.#blockOf.length);
    const most = Math.floor(this.#limits.maxWeightBytes / 8 / perBlock);
    this.#part.resize([[3, Math.min(wanted, most) * perBlock]]);
  }

  #refuseBeyondLimit(weights: number): void {
    if (weights * 8 > this.#limits.maxWeightBytes)
      throw new ClassifierCapacityError(weights * 8, this.#limits.maxWeightBytes);
  }

  #check(): void {
    const [blocks, lowest, end] = this.#shape;
    const perBlock = this.#rowsPerBlock * this.stride;
    const capacity = this.#weights.length / perBlock;
    const given = this.#blockOf.filter((block) => block !== 0).sort();
    const empty = lowest === 1 && end === 1;
    if (!empty && !(lowest < end && end <= this.#limits.maxBuckets && this.columns <= this.stride))
      throw new ArenaFormatError(`classifier buckets ${lowest} to ${end} are impossible`);
    if (!Number.isInteger(capacity) || blocks > capacity || given.length !== blocks)
      throw new ArenaFormatError(
        `classifier weights have room for ${capacity} blocks of rows, not ${blocks}`,
      );
    if (given.some((block, i) => block !== i + 1))
      throw new ArenaFormatError('classifier blocks are not numbered through');
    const known = this.#values.subarray(1, this.columns);
    if (known.some((value) => Math.abs(value) === Infinity) || !this.#weights.every(Number.isFinite))
      throw new ArenaFormatError('classifier weights or values are not finite');
  }
}

/** The weights would outgrow their limit. */
export class ClassifierCapacityError extends Error {
  override readonly name = 'ClassifierCapacityError';
  readonly code = 'classifier_too_large';

  constructor(bytes: number, limit: number) {
    super(
      `Predictions for this metric need ${bytes} bytes of weights, more than the limit of ${limit}. ` +
        'Use a larger resolution, fewer prediction steps, or switch predictions off.',
    );
  }
}

const BLOCKS = 0;
const LOWEST = 1;
const END = 2;
const SHAPE_WORDS = 3;
