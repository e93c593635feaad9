import { Random } from './random.ts';

/** Constants of a spatial pooler (global inhibition, one dimension). Real ones are used as binary32. */
export interface PoolerParameters {
  readonly columnCount: number;
  /** Share of the inputs in a column's pool, above 0 to 1. */
  readonly potentialPct: number;
  /** Whether the neighbourhood of a column's centre wraps around; it always spans all inputs, so only its order depends on this. */
  readonly wrapAround: boolean;
  /** Winners; 0 takes `localAreaDensity` instead. */
  readonly numActiveColumns: number;
  /** Share of the columns that win, above 0 to 0.5; used if `numActiveColumns` is 0. */
  readonly localAreaDensity: number;
  /** Least score of a winner. */
  readonly stimulusThreshold: number;
  readonly synPermInactiveDec: number;
  readonly synPermActiveInc: number;
  /** A synapse is connected from this permanence on (less 1e-6). */
  readonly synPermConnected: number;
  readonly minPctOverlapDutyCycle: number;
  /** Records. */
  readonly dutyCyclePeriod: number;
  /** 0 switches boosting off. */
  readonly boostStrength: number;
  /** Of the generator: a positive integer. */
  readonly seed: number;
}

/**
 * What all poolers of one shape and seed have in common and never change: the columns' pools and the permanences
 * they begin with (model reference, section 3.2). About 5 MB at production size, built once per process.
 */
export class PoolerBase {
  /** The base of poolers over `inputCount` inputs with these parameters, from the process's cache or new. */
  static of(inputCount: number, parameters: PoolerParameters): PoolerBase {
    const key = JSON.stringify([
      inputCount,
      parameters.columnCount,
      parameters.potentialPct,
      parameters.wrapAround,
      parameters.stimulusThreshold,
      parameters.synPermActiveInc,
      parameters.synPermConnected,
      parameters.seed,
    ]);
    const base = cache.get(key) ?? new PoolerBase(inputCount, parameters);
    cache.delete(key);
    cache.set(key, base);
    if (cache.size > MAX_CACHED) {
      const [leastRecentlyUsed] = cache.keys();
      cache.delete(leastRecentlyUsed);
    }
    return base;
  }

  readonly inputCount: number;
  readonly columnCount: number;
  /** Inputs in a column's pool. */
  readonly poolSize: number;
  /** Inputs of each column's pool, ascending: `poolSize` per column. */
  readonly poolInputs: Uint16Array;
  /** Permanences at the beginning, in the order of `poolInputs`. */
  readonly permanences: Float32Array;
  /** The same as binary32 patterns. */
  readonly initialPatterns: Int32Array;
  /** Words of a row of `connected`: one bit per column. */
  readonly columnWords: number;
  /** Per input the set of columns it is connected to at the beginning, and behind them one row of zeros. */
  readonly connected: Int32Array;
  /** 64-bit digest of pools and permanences, in two words. */
  readonly digest: readonly [number, number];
  readonly constants: PermanenceConstants;

  private constructor(inputCount: number, parameters: PoolerParameters) {
    const { columnCount, potentialPct, wrapAround, stimulusThreshold, seed } = parameters;
    this.inputCount = inputCount;
    this.columnCount = columnCount;
    this.poolSize = poolSizeOf(inputCount, potentialPct);
    this.constants = new PermanenceConstants(parameters);
    this.poolInputs = new Uint16Array(columnCount * this.poolSize);
    this.permanences = new Float32Array(columnCount * this.poolSize);
    this.initialPatterns = new Int32Array(this.permanences.buffer);
    const random = Random.seeded(seed);
    for (let column = 0; column < columnCount; column++) random.real(); // Tie-breakers, drawn and never used.
    const neighbourhood = new Uint16Array(inputCount);
    for (let column = 0; column < columnCount; column++) {
      const first = wrapAround ? this.#centreOf(column) : 0;
      for (let i = 0; i < inputCount; i++) neighbourhood[i] = (first + i) % inputCount;
      const start = column * this.poolSize;
      const pool = this.poolInputs.subarray(start, start + this.poolSize);
      random.sample(neighbourhood, inputCount, this.poolSize, pool);
      pool.sort();
      for (let place = 0; place < this.poolSize; place++) {
        this.permanences[start + place] = this.constants.drawInitial(random);
      }
      this.constants.raise(this.permanences, start, this.poolSize, stimulusThreshold);
      this.constants.trim(this.permanences, start, this.poolSize);
    }
    this.columnWords = (columnCount + 31) >>> 5;
    this.connected = this.#connectedAtFirst();
    this.digest = digestOf(this.poolInputs, new Uint32Array(this.permanences.buffer));
  }

  #connectedAtFirst(): Int32Array {
    const connected = new Int32Array((this.inputCount + 1) * this.columnWords);
    for (let i = 0; i < this.permanences.length; i++) {
      if (this.permanences[i] < this.constants.connectedFrom) continue;
      const column = Math.floor(i / this.poolSize);
      connected[this.poolInputs[i] * this.columnWords + (column >>> 5)] |= 1 << column;
    }
    return connected;
  }

  #centreOf(column: number): number {
    const ratio = Math.fround(this.inputCount / this.columnCount);
    return Math.floor(Math.fround((column + 0.5) * ratio));
  }
}

/** Binary32 constants of a pooler's permanences, and what follows from them alone. Model reference, section 3.1. */
export class PermanenceConstants {
  readonly increment: number;
  readonly decrement: number;
  /** Synapses with at least this permanence are connected. */
  readonly connectedFrom: number;
  /** What a synapse gains when its column is too weak. */
  readonly raiseBy: number;
  /** Lower permanences become 0. */
  readonly trimBelow: number;
  readonly #connected: number;

  constructor(
    parameters: Pick<PoolerParameters, 'synPermActiveInc' | 'synPermInactiveDec' | 'synPermConnected'>,
  ) {
    this.increment = Math.fround(parameters.synPermActiveInc);
    this.decrement = Math.fround(parameters.synPermInactiveDec);
    this.#connected = Math.fround(parameters.synPermConnected);
    this.connectedFrom = Math.fround(this.#connected - Math.fround(1e-6));
    this.raiseBy = Math.fround(this.#connected / 10);
    this.trimBelow = Math.fround(this.increment / 2);
  }

  /** Draws one permanence to begin with, connected or not with equal chance; to five decimals, not yet trimmed. */
  drawInitial(random: Random): number {
    const isConnected = random.real() <= 0.5;
    const share = random.real();
    const permanence = isConnected
      ? this.#connected + Math.fround(1 - this.#connected) * share
      : this.#connected * share;
    const decimals = Math.trunc(Math.fround(Math.fround(permanence) * 100_000));
    const rounded = Math.fround(decimals / 100_000);
    return rounded < this.trimBelow ? 0 : rounded;
  }

  /** Clips to 0..1, then lifts all together until at least `threshold` of them are connected. Section 3.6, rule 1. */
  raise(permanences: Float32Array, start: number, count: number, threshold: number): void {
    const end = start + count;
    for (let i = start; i < end; i++) permanences[i] = Math.min(Math.max(permanences[i], 0), 1);
    for (;;) {
      let connected = 0;
      for (let i = start; i < end; i++) if (permanences[i] >= this.connectedFrom) connected++;
      if (connected >= threshold) return;
      this.lift(permanences, start, count);
    }
  }

  /** Adds `raiseBy` to all. */
  lift(permanences: Float32Array, start: number, count: number): void {
    for (let i = start; i < start + count; i++) permanences[i] += this.raiseBy;
  }

  /** Above 1 becomes 1, below `trimBelow` 0. Section 3.6, rule 3. */
  trim(permanences: Float32Array, start: number, count: number): void {
    for (let i = start; i < start + count; i++) {
      if (permanences[i] > 1) permanences[i] = 1;
      else if (permanences[i] < this.trimBelow) permanences[i] = 0;
    }
  }
}

/** Inputs in a column's pool. */
export function poolSizeOf(inputCount: number, potentialPct: number): number {
  return Math.floor(Math.fround(inputCount * Math.fround(potentialPct)) + 0.5);
}

/** Columns that win: `numActiveColumns`, or the share given by `localAreaDensity`. Model reference, section 3.4. */
export function winnerCountOf(parameters: PoolerParameters): number {
  return Math.trunc(Math.fround(densityOf(parameters) * parameters.columnCount));
}

/** The share of columns that win. */
export function densityOf({ numActiveColumns, localAreaDensity, columnCount }: PoolerParameters): number {
  return numActiveColumns > 0
    ? Math.min(Math.fround(numActiveColumns / columnCount), 0.5)
    : Math.fround(localAreaDensity);
}

/** Two multiplicative hashes with different seeds over the same words. */
function digestOf(...arrays: (Uint16Array | Uint32Array)[]): readonly [number, number] {
  let a = 0x811c9dc5;
  let b = 0x9747b28c;
  for (const array of arrays) {
    for (const word of array) {
      a = Math.imul(a ^ word, 0x01000193);
      a ^= a >>> 15;
      b = Math.imul(b ^ word, 0x5bd1e995);
      b ^= b >>> 13;
    }
  }
  return [a >>> 0, b >>> 0];
}

const cache = new Map<string, PoolerBase>();
const MAX_CACHED = 4;
