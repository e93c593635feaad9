import { ArenaFormatError } from './arena.ts';
import type { Arena, ArenaPart, SectionSpec } from './arena.ts';
import { NOT_POOLED, PermanenceCodes, patternOf } from './permanence-codes.ts';
import { ONE_BITS, PermanenceSteps } from './permanence-steps.ts';
import { PoolerPacking } from './pooler-packing.ts';
import type { PoolerBase } from './pooler-base.ts';
import { Scratch } from './scratch.ts';

/**
 * The synapses of a pooler: which are connected, and the permanences of those columns that have learned. Columns
 * that have not share those of the base; the first time a column learns it gets a row of its own, with a word for every input
 * (see `PermanenceCodes`), in the pool or not, so that a synapse is found without a table.
 *
 * Learning (model reference, sections 3.5 and 3.6) touches only the synapses of inputs that are on. A row counts the
 * times it learned, each synapse notes the count up to which its permanence is true, and the decrements in
 * between are made up for when it is next needed. A connected synapse could lose its connection in the meantime;
 * therefore a row also knows the earliest count at which that can happen and is then brought up to date, at the latest when
 * its count is as high as a word can note.
 */
export class PoolerSynapses {
  /** Sections this component owns in the arena. */
  static schema(columnCount: number, inputCount: number): SectionSpec[] {
    const rowsOf = (elements: number) => ({ counter: 'poolerRowCount', index: 0, elements });
    return [
      { name: 'poolerRowCount', type: 'u32', length: 1 },
      {
        name: 'poolerRowColumns',
        type: 'u16',
        length: 0,
        maxLength: columnCount,
        saved: 'packed',
        rows: rowsOf(1),
      },
      {
        name: 'poolerTimesLearned',
        type: 'u32',
        length: 0,
        maxLength: columnCount,
        saved: 'elsewhere',
        rows: rowsOf(1),
      },
      {
        // Holds words; the type is part of saved states, which once held permanences as such.
        name: 'poolerPermanences',
        type: 'f32',
        length: 0,
        maxLength: columnCount * inputCount,
        saved: 'elsewhere',
        rows: rowsOf(inputCount),
      },
    ];
  }

  /** Per input the set of columns it is connected to, `base.columnWords` words each, and behind them one row of zeros. */
  readonly connected: Int32Array;

  readonly #base: PoolerBase;
  readonly #stimulusThreshold: number;
  readonly #steps: PermanenceSteps;
  readonly #codes: PermanenceCodes;
  /** The least permanence above 0, and the least connected one. */
  readonly #leastPattern: number;
  readonly #connectedPattern: number;
  readonly #part: ArenaPart;
  readonly #rowOfColumn: Uint16Array;
  /** Scratch for `#learnAll`, and permanences of a row in the order of the pool. */
  readonly #isOn: Uint8Array;
  readonly #pooled: Float32Array;
  readonly #pooledBits: Int32Array;
  #rowCount!: Uint32Array;
  #columns!: Uint16Array;
  /** Per row, up to when it was last brought up to date; only its packed form makes use of it. */
  #timesLearned!: Uint32Array;
  /** Per row and input a permanence and the row's count up to which it is true. */
  #words!: Int32Array;
  /** Per row: times it learned since it was up to date, and the least such count at which a connection can be lost. */
  #times = new Uint8Array(0);
  #dueAt = new Uint8Array(0);

  /**
   * Lays the synapses over their sections of `arena`, zeroed or loaded.
   * @throws ArenaFormatError when the sections are not a state they can have.
   */
  constructor(arena: Arena, firstSection: number, base: PoolerBase, stimulusThreshold: number) {
    this.#base = base;
    this.#stimulusThreshold = stimulusThreshold;
    this.#steps = new PermanenceSteps(base.constants);
    this.#codes = new PermanenceCodes(base.constants, this.#steps);
    this.#leastPattern = patternOf(base.constants.trimBelow);
    this.#connectedPattern = patternOf(base.constants.connectedFrom);
    this.#rowOfColumn = new Uint16Array(base.columnCount).fill(NO_ROW);
    this.#isOn = new Uint8Array(stimulusThreshold > 0 ? base.inputCount : 0);
    this.#pooled = new Float32Array(base.poolSize);
    this.#pooledBits = new Int32Array(this.#pooled.buffer);
    this.connected = base.connected.slice();
    this.#part = arena.part(
      firstSection,
      (part) => this.#lay(part),
      () => this.#pack(),
    );
    this.#unpack();
  }

  /** Bytes held outside the arena. */
  get derivedBytes(): number {
    const tables = [this.connected, this.#rowOfColumn, this.#times, this.#dueAt, this.#isOn, this.#pooled];
    return tables.reduce((bytes, table) => bytes + table.byteLength, 0);
  }

  /** Columns that have a row of their own. */
  get rowCount(): number {
    return this.#rowCount[0];
  }

  /** A column's permanences in the order of its pool: a copy. */
  permanencesOf(column: number): Float32Array {
    const { permanences, poolSize } = this.#base;
    const row = this.#rowOfColumn[column];
    if (row === NO_ROW) return permanences.slice(column * poolSize, (column + 1) * poolSize);
    this.#bringUpToDate(row);
    this.#readRow(row, this.#pooledBits);
    return this.#pooled.slice();
  }

  /** Inputs a column is connected to, ascending. */
  connectedInputsOf(column: number): number[] {
    const { columnWords } = this.#base;
    return [...this.#poolOf(column)].filter(
      (input) => (this.connected[input * columnWords + (column >>> 5)] >>> column) & 1,
    );
  }

  /** A winning column learns: pool members among `onInputs[0..count)` gain, the others lose. */
  learn(column: number, onInputs: Uint16Array, count: number): void {
    const row = this.#rowOf(column);
    if (this.#stimulusThreshold > 0) this.#learnAll(row, onInputs, count);
    else this.#learnOn(row, column, onInputs, count);
  }

  /** A weak column gains on all synapses. Model reference, section 3.5. */
  lift(column: number): void {
    const { constants, poolSize } = this.#base;
    const row = this.#rowOf(column);
    this.#bringUpToDate(row);
    this.#readRow(row, this.#pooledBits);
    constants.lift(this.#pooled, 0, poolSize);
    this.#replaceRow(row);
  }

  #learnOn(row: number, column: number, onInputs: Uint16Array, count: number): void {
    const { falls, rises, shift, mask, one, connectedFrom } = this.#codes;
    const words = this.#words;
    const before = this.#times[row];
    const now = before + 1;
    const rowStart = row * this.#base.inputCount;
    for (let k = 0; k < count; k++) {
      const i = rowStart + onInputs[k];
      const word = words[i];
      const stored = word & mask;
      const missed = before - (word >>> shift);
      const inBinade = stored - 1;
      const binade = inBinade >>> 23;
      const fallen = (stored - Math.imul(missed, falls[binade])) | 0;
      let risen = (fallen + rises[binade]) | 0;
      // Without branches, which could not be foreseen: at most 1.
      const excess = (risen - one) | 0;
      risen -= excess & ~(excess >> 31);
      // All three in one binade: they differ below the exponent only.
      if ((((fallen - 1) ^ inBinade) | ((risen - 1) ^ inBinade)) >>> 23 !== 0)
        risen = this.#codes.afterIncrement(this.#codes.afterDecrements(stored, missed));
      words[i] = risen | (now << shift);
      // Below and then not below: the sign of both differences.
      if (((stored - connectedFrom) & ~(risen - connectedFrom)) < 0)
        this.#connect(row, column, onInputs[k], now, risen);
    }
    this.#times[row] = now;
    if (now >= this.#dueAt[row]) this.#bringUpToDate(row);
  }

  /** The synapse of a row with `input`, now with the permanence `code`, becomes connected. */
  #connect(row: number, column: number, input: number, now: number, code: number): void {
    this.connected[input * this.#base.columnWords + (column >>> 5)] |= 1 << column;
    const due = now + this.#codes.timesUntilLoss(code);
    if (due < this.#dueAt[row]) this.#dueAt[row] = due;
  }

  /** Learning where raising may follow, which needs all permanences as they are before they are trimmed. */
  #learnAll(row: number, onInputs: Uint16Array, count: number): void {
    const { constants, poolSize } = this.#base;
    const pool = this.#poolOf(this.#columns[row]);
    this.#isOn.fill(0);
    for (let k = 0; k < count; k++) this.#isOn[onInputs[k]] = 1;
    this.#readRow(row, this.#pooledBits);
    for (let place = 0; place < poolSize; place++) {
      const isOn = this.#isOn[pool[place]] === 1;
      this.#pooled[place] += isOn ? constants.increment : -constants.decrement;
    }
    constants.raise(this.#pooled, 0, poolSize, this.#stimulusThreshold);
    this.#timesLearned[row]++;
    this.#replaceRow(row);
  }

  /** Makes a row's permanences true and takes back the connections that were lost. */
  #bringUpToDate(row: number): void {
    const { falls, shift, mask, connectedFrom } = this.#codes;
    const { inputCount, columnWords } = this.#base;
    const words = this.#words;
    const now = this.#times[row];
    if (now === 0) return;
    this.#timesLearned[row] += now;
    const column = this.#columns[row];
    const rowStart = row * inputCount;
    let leastConnected = NONE;
    for (let i = rowStart; i < rowStart + inputCount; i++) {
      const stored = words[i] & mask;
      const inBinade = stored - 1;
      const missed = now - (words[i] >>> shift);
      let current = (stored - Math.imul(missed, falls[inBinade >>> 23])) | 0;
      if (((current - 1) ^ inBinade) >>> 23 !== 0) current = this.#codes.afterDecrements(stored, missed);
      words[i] = current;
      if (stored < connectedFrom) continue;
      if (current < connectedFrom)
        this.connected[(i - rowStart) * columnWords + (column >>> 5)] &= ~(1 << column);
      else if (current < leastConnected) leastConnected = current;
    }
    this.#times[row] = 0;
    this.#dueAt[row] = this.#timesUntilLoss(leastConnected);
  }

  /**
   * Gives a row the permanences in `#pooled`: connects what is to be connected, and trims. Section 3.6, rules 2 and 3.
   */
  #replaceRow(row: number): void {
    const { constants, columnWords, poolSize } = this.#base;
    const column = this.#columns[row];
    const pool = this.#poolOf(column);
    for (let place = 0; place < poolSize; place++) {
      const word = pool[place] * columnWords + (column >>> 5);
      if (this.#pooled[place] >= constants.connectedFrom) this.connected[word] |= 1 << column;
      else this.connected[word] &= ~(1 << column);
    }
    constants.trim(this.#pooled, 0, poolSize);
    this.#writeRow(row, this.#pooledBits);
  }

  /** Writes the patterns of the permanences of a row that is up to date to `out`, in the order of the pool. */
  #readRow(row: number, out: Int32Array): void {
    const { inputCount, poolSize } = this.#base;
    const pool = this.#poolOf(this.#columns[row]);
    const rowStart = row * inputCount;
    for (let place = 0; place < poolSize; place++)
      out[place] = this.#codes.patternOf(this.#words[rowStart + pool[place]]);
  }

  /** Fills a row with the permanences of these patterns, in the order of the pool. */
  #writeRow(row: number, patterns: Int32Array): void {
    const { inputCount, poolSize } = this.#base;
    const pool = this.#poolOf(this.#columns[row]);
    const words = this.#words.subarray(row * inputCount, (row + 1) * inputCount).fill(NOT_POOLED);
    const { connectedFrom } = this.#codes;
    let leastConnected = NONE;
    for (let place = 0; place < poolSize; place++) {
      const code = this.#codes.codeOf(patterns[place]);
      words[pool[place]] = code;
      if (code >= connectedFrom && code < leastConnected) leastConnected = code;
    }
    this.#dueAt[row] = this.#timesUntilLoss(leastConnected);
  }

  #timesUntilLoss(leastConnected: number): number {
    return leastConnected === NONE ? this.#codes.maxTimes : this.#codes.timesUntilLoss(leastConnected);
  }

  #poolOf(column: number): Uint16Array {
    const { poolInputs, poolSize } = this.#base;
    return poolInputs.subarray(column * poolSize, (column + 1) * poolSize);
  }

  #rowOf(column: number): number {
    const row = this.#rowOfColumn[column];
    return row === NO_ROW ? this.#addRow(column) : row;
  }

  #addRow(column: number): number {
    const { initialPatterns, poolSize, columnCount } = this.#base;
    const row = this.rowCount;
    if (row === this.#columns.length) {
      const capacity = Math.min(columnCount, row + Math.max(MIN_ROWS_ADDED, row >>> 4));
      this.#resize(capacity);
    }
    this.#columns[row] = column;
    this.#rowOfColumn[column] = row;
    this.#rowCount[0] = row + 1;
    this.#writeRow(row, initialPatterns.subarray(column * poolSize, (column + 1) * poolSize));
    return row;
  }

  #resize(rows: number): void {
    this.#part.resize([
      [COLUMNS_SECTION, rows],
      [TIMES_SECTION, rows],
      [WORDS_SECTION, rows * this.#base.inputCount],
    ]);
  }

  #lay(part: ArenaPart): void {
    this.#rowCount = part.view(0);
    this.#columns = part.view(COLUMNS_SECTION);
    this.#timesLearned = part.view(TIMES_SECTION);
    const { buffer, byteOffset, length } = part.view<Float32Array>(WORDS_SECTION);
    this.#words = new Int32Array(buffer as ArrayBuffer, byteOffset, length);
    this.#extendCounts(this.#columns.length);
  }

  #pack(): ReadonlyMap<number, Uint8Array> {
    const { poolSize } = this.#base;
    const rows = this.rowCount;
    const permanenceBits = bitsScratch.take(rows * poolSize);
    for (let row = 0; row < rows; row++) {
      this.#bringUpToDate(row);
      this.#readRow(row, permanenceBits.subarray(row * poolSize, (row + 1) * poolSize));
    }
    const packed = new PoolerPacking(this.#base, this.#steps).pack({
      columns: this.#columns.subarray(0, rows),
      timesLearned: this.#timesLearned.subarray(0, rows),
      permanenceBits,
    });
    return new Map([[COLUMNS_SECTION, packed]]);
  }

  /** Fills the rows of a loaded arena, after checks, and connects their synapses. */
  #unpack(): void {
    const packing = new PoolerPacking(this.#base, this.#steps);
    const { poolSize, columnCount } = this.#base;
    const rows = packing.unpack(this.#part.packed(COLUMNS_SECTION), this.rowCount);
    this.#resize(this.rowCount);
    this.#columns.set(rows.columns);
    this.#timesLearned.set(rows.timesLearned);
    this.#words.fill(NOT_POOLED);
    for (let row = 0; row < this.rowCount; row++) {
      const column = this.#columns[row];
      if (column >= columnCount || this.#rowOfColumn[column] !== NO_ROW)
        throw new ArenaFormatError(`spatial pooler: column ${column} of row ${row}`);
      this.#rowOfColumn[column] = row;
      this.#loadRow(row, rows.permanenceBits.subarray(row * poolSize, (row + 1) * poolSize));
    }
  }

  /** Fills a row of words that are not pooled, and connects its synapses where those of the base are not connected, or the other way round. */
  #loadRow(row: number, patterns: Int32Array): void {
    const { columnWords, initialPatterns, inputCount, poolSize } = this.#base;
    const { connectedFrom } = this.#codes;
    const least = this.#leastPattern;
    const connectedPattern = this.#connectedPattern;
    const column = this.#columns[row];
    const pool = this.#poolOf(column);
    const words = this.#words;
    const rowStart = row * inputCount;
    const first = column * poolSize;
    let leastConnected = NONE;
    for (let place = 0; place < poolSize; place++) {
      const pattern = patterns[place];
      if (pattern !== 0 && (pattern < least || pattern > ONE_BITS))
        throw new ArenaFormatError(`spatial pooler: permanence of pattern ${pattern}`);
      const input = pool[place];
      const code = this.#codes.codeOf(pattern);
      words[rowStart + input] = code;
      if (code >= connectedFrom && code < leastConnected) leastConnected = code;
      if (pattern >= connectedPattern !== initialPatterns[first + place] >= connectedPattern)
        this.connected[input * columnWords + (column >>> 5)] ^= 1 << column;
    }
    this.#dueAt[row] = this.#timesUntilLoss(leastConnected);
  }

  #extendCounts(capacity: number): void {
    if (capacity === this.#times.length) return;
    this.#times = extended(this.#times, capacity);
    this.#dueAt = extended(this.#dueAt, capacity);
  }
}

function extended(array: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const longer = new Uint8Array(length);
  longer.set(array);
  return longer;
}

const bitsScratch = new Scratch((length) => new Int32Array(length));
const COLUMNS_SECTION = 1;
const TIMES_SECTION = 2;
const WORDS_SECTION = 3;
const NO_ROW = 0xffff;
const NONE = 0x7fffffff;
const MIN_ROWS_ADDED = 16;
