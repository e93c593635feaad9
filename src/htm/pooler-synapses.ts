import { ArenaFormatError } from './arena.ts';
import type { Arena, ArenaPart, SectionSpec } from './arena.ts';
import { NOT_POOLED, PermanenceCodes } from './permanence-codes.ts';
import { PermanenceSteps } from './permanence-steps.ts';
import { PackedRows, RowsWriter } from './packed-rows.ts';
import { PoolerPacking } from './pooler-packing.ts';
import type { PoolerBase } from './pooler-base.ts';
import { Scratch } from './scratch.ts';
import { WordRows } from './word-rows.ts';
import type { TypedArray } from './tables.ts';

/**
 * The synapses of a pooler: which are connected, and the permanences of those columns that have learned. Columns
 * that have not share those of the base; the first time a column learns it gets a row of its own, with a word for every input
 * (see `PermanenceCodes`), in the pool or not, so that a synapse is found without a table. Rows of a loaded pooler stay
 * packed until their column learns.
 *
 * Learning (model reference, sections 3.5 and 3.6) touches only the synapses of inputs that are on. A row counts the
 * times it learned, each synapse notes the count up to which its permanence is true, and the decrements in
 * between are made up for when it is next needed. A connected synapse could lose its connection in the meantime;
 * therefore a row also knows the earliest count at which that can happen and is then brought up to date, at the latest when
 * its count is as high as a word can note.
 */
export class PoolerSynapses {
  /** Sections this component owns in the arena. */
  static schema(columnCount: number): SectionSpec[] {
    const rows = { counter: 'poolerRowCount', index: 0, elements: 1 };
    return [
      { name: 'poolerRowCount', type: 'u32', length: 1 },
      {
        name: 'poolerRowColumns',
        type: 'u16',
        length: 0,
        maxLength: columnCount,
        saved: 'packed',
        rows,
      },
      {
        name: 'poolerTimesLearned',
        type: 'u32',
        length: 0,
        maxLength: columnCount,
        saved: 'elsewhere',
        rows,
      },
      {
        // Always empty; part of saved states, which once held permanences here.
        name: 'poolerPermanences',
        type: 'f32',
        length: 0,
        saved: 'elsewhere',
      },
    ];
  }

  /** Per input the set of columns it is connected to, `base.columnWords` words each, and behind them one row of zeros. */
  readonly connected: Int32Array;

  readonly #base: PoolerBase;
  readonly #stimulusThreshold: number;
  readonly #steps: PermanenceSteps;
  readonly #codes: PermanenceCodes;
  readonly #packing: PoolerPacking;
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
  /** Per row that is not packed, and input, a permanence and the row's count up to which it is true. */
  readonly #words: WordRows;
  /** Per row which one of `#words` is its, or `PACKED`. */
  #slots = new Uint16Array(0);
  /** The rows as they were loaded, until none is packed any more. */
  #packed: PackedRows | null = null;
  #packedCount = 0;
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
    this.#packing = new PoolerPacking(base, this.#steps);
    this.#words = new WordRows(base.inputCount);
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
    this.#load();
  }

  /** The tables it holds outside the arena. */
  tables(): TypedArray[] {
    const perColumn = [this.connected, this.#rowOfColumn, this.#isOn, this.#pooled];
    const perRow = [this.#times, this.#dueAt, this.#slots];
    return [...perColumn, ...perRow, ...this.#words.tables(), ...(this.#packed?.tables() ?? [])];
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
    const slot = this.#slotOf(row);
    const words = this.#words.pieceOf(slot);
    const rowStart = this.#words.startOf(slot);
    const before = this.#times[row];
    const now = before + 1;
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
    const now = this.#times[row];
    // A packed row has not learned.
    if (now === 0) return;
    const slot = this.#slots[row];
    const words = this.#words.pieceOf(slot);
    const rowStart = this.#words.startOf(slot);
    this.#timesLearned[row] += now;
    const column = this.#columns[row];
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
    const slot = this.#slotOf(row);
    const words = this.#words.pieceOf(slot);
    const rowStart = this.#words.startOf(slot);
    const { poolSize } = this.#base;
    const pool = this.#poolOf(this.#columns[row]);
    for (let place = 0; place < poolSize; place++)
      out[place] = this.#codes.patternOf(words[rowStart + pool[place]]);
  }

  /** Fills a row with the permanences of these patterns, in the order of the pool. */
  #writeRow(row: number, patterns: Int32Array): void {
    const slot = this.#slotOf(row);
    const words = this.#words.pieceOf(slot);
    const rowStart = this.#words.startOf(slot);
    const { inputCount, poolSize } = this.#base;
    const pool = this.#poolOf(this.#columns[row]);
    words.fill(NOT_POOLED, rowStart, rowStart + inputCount);
    const { connectedFrom } = this.#codes;
    let leastConnected = NONE;
    for (let place = 0; place < poolSize; place++) {
      const code = this.#codes.codeOf(patterns[place]);
      words[rowStart + pool[place]] = code;
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
    this.#slots[row] = this.#words.add();
    this.#writeRow(row, initialPatterns.subarray(column * poolSize, (column + 1) * poolSize));
    return row;
  }

  #resize(rows: number): void {
    this.#part.resize([
      [COLUMNS_SECTION, rows],
      [TIMES_SECTION, rows],
    ]);
  }

  #lay(part: ArenaPart): void {
    this.#rowCount = part.view(0);
    this.#columns = part.view(COLUMNS_SECTION);
    this.#timesLearned = part.view(TIMES_SECTION);
    this.#extendRows(this.#columns.length);
  }

  #pack(): ReadonlyMap<number, Uint8Array> {
    const rows = this.rowCount;
    const writer = new RowsWriter(rows, this.#base.poolSize, this.#packing);
    for (let row = 0; row < rows; row++) {
      if (this.#slots[row] === PACKED) {
        this.#packed?.copy(row, writer);
        continue;
      }
      this.#bringUpToDate(row);
      this.#readRow(row, this.#pooledBits);
      writer.pack(this.#columns[row], this.#timesLearned[row], this.#pooledBits);
    }
    const packed = writer.finish(this.#columns.subarray(0, rows), this.#timesLearned.subarray(0, rows));
    return new Map([[COLUMNS_SECTION, packed]]);
  }

  /** Takes over the rows of a loaded arena, after checks, and connects their synapses. */
  #load(): void {
    const { poolSize, columnCount } = this.#base;
    const { rowCount } = this;
    const rows = new PackedRows(this.#part.packed(COLUMNS_SECTION), rowCount, poolSize, this.#packing);
    this.#resize(rowCount);
    this.#columns.set(rows.columns);
    this.#timesLearned.set(rows.timesLearned);
    for (let row = 0; row < rowCount; row++) {
      const column = this.#columns[row];
      if (column >= columnCount || this.#rowOfColumn[column] !== NO_ROW)
        throw new ArenaFormatError(`spatial pooler: column ${column} of row ${row}`);
      this.#rowOfColumn[column] = row;
      this.#connectAsIn(rows, row, column);
    }
    rows.end();
    if (rowCount === 0) return;
    this.#packed = rows;
    this.#packedCount = rowCount;
  }

  /** Connects a column as in its packed row. */
  #connectAsIn(rows: PackedRows, row: number, column: number): void {
    const { columnWords } = this.#base;
    const pool = this.#poolOf(column);
    const changed = changedScratch.take(pool.length);
    const count = rows.changedConnections(row, changed);
    for (let i = 0; i < count; i++)
      this.connected[pool[changed[i]] * columnWords + (column >>> 5)] ^= 1 << column;
  }

  /** Where in `#words` a row is. */
  #slotOf(row: number): number {
    const slot = this.#slots[row];
    return slot === PACKED ? this.#unpackRow(row) : slot;
  }

  #unpackRow(row: number): number {
    if (this.#packed === null) throw new Error(`row ${row} is nowhere`);
    const slot = this.#words.add();
    this.#slots[row] = slot;
    const patterns = patternsScratch.take(this.#base.poolSize);
    this.#packed.unpack(row, patterns);
    this.#writeRow(row, patterns);
    this.#packedCount -= 1;
    if (this.#packedCount === 0) this.#packed = null;
    return slot;
  }

  #extendRows(capacity: number): void {
    if (capacity === this.#times.length) return;
    this.#times = extended(this.#times, new Uint8Array(capacity));
    this.#dueAt = extended(this.#dueAt, new Uint8Array(capacity));
    this.#slots = extended(this.#slots, new Uint16Array(capacity).fill(PACKED));
  }
}

function extended<T extends Uint8Array | Uint16Array>(array: T, longer: T): T {
  longer.set(array);
  return longer;
}

const changedScratch = new Scratch((length) => new Uint16Array(length));
const patternsScratch = new Scratch((length) => new Int32Array(length));
const COLUMNS_SECTION = 1;
const TIMES_SECTION = 2;
const NO_ROW = 0xffff;
const PACKED = 0xffff;
const NONE = 0x7fffffff;
const MIN_ROWS_ADDED = 16;
