import { ArenaFormatError } from './arena.ts';
import type { Arena, ArenaPart, SectionSpec } from './arena.ts';
import { ONE_BITS as oneBits, PermanenceSteps } from './permanence-steps.ts';
import { PoolerPacking } from './pooler-packing.ts';
import { NOT_POOLED as notPooled } from './pooler-base.ts';
import type { PoolerBase } from './pooler-base.ts';

/**
 * The synapses of a pooler: which are connected, and the permanences of those columns that have learned. Columns
 * that have not share those of the base; the first time a column learns it gets a row of its own.
 *
 * Learning (model reference, sections 3.5 and 3.6) touches only the synapses of inputs that are on. A row counts the
 * times it learned, each synapse notes the count up to which its permanence is true, and the decrements in
 * between are made up for when it is next needed. A connected synapse could lose its connection in the meantime;
 * therefore a row also knows the earliest count at which that can happen and is then brought up to date.
 */
export class PoolerSynapses {
  /** Sections this component owns in the arena. */
  static schema(columnCount: number, poolSize: number): SectionSpec[] {
    return [
      { name: 'poolerRowCount', type: 'u32', length: 1 },
      { name: 'poolerRowColumns', type: 'u16', length: 0, maxLength: columnCount, saved: 'packed' },
      { name: 'poolerTimesLearned', type: 'u32', length: 0, maxLength: columnCount, saved: 'elsewhere' },
      {
        name: 'poolerPermanences',
        type: 'f32',
        length: 0,
        maxLength: columnCount * poolSize,
        saved: 'elsewhere',
      },
    ];
  }

  /** Per input the set of columns it is connected to, `base.columnWords` words each, and behind them one row of zeros. */
  readonly connected: Int32Array;

  readonly #base: PoolerBase;
  readonly #stimulusThreshold: number;
  readonly #steps: PermanenceSteps;
  readonly #connectedFromBits: number;
  readonly #part: ArenaPart;
  readonly #rowOfColumn: Uint16Array;
  /** Scratch for `#learnAll`. */
  readonly #isOn: Uint8Array;
  #rowCount!: Uint32Array;
  #columns!: Uint16Array;
  /** Per row, up to when it was last brought up to date; only its packed form makes use of it. */
  #timesLearned!: Uint32Array;
  #permanences!: Float32Array;
  #bits!: Int32Array;
  /** Per row: times it learned since it was up to date, and the least such count at which a connection can be lost. */
  #times = new Uint8Array(0);
  #dueAt = new Uint8Array(0);
  /** Per synapse of the rows: the row's count up to which its permanence is true. */
  #trueAt = new Uint8Array(0);

  /**
   * Lays the synapses over their sections of `arena`, zeroed or loaded.
   * @throws ArenaFormatError when the sections are not a state they can have.
   */
  constructor(arena: Arena, firstSection: number, base: PoolerBase, stimulusThreshold: number) {
    this.#base = base;
    this.#stimulusThreshold = stimulusThreshold;
    this.#steps = new PermanenceSteps(base.constants);
    this.#connectedFromBits = bitsOf(base.constants.connectedFrom);
    this.#rowOfColumn = new Uint16Array(base.columnCount).fill(NO_ROW);
    this.#isOn = new Uint8Array(stimulusThreshold > 0 ? base.inputCount : 0);
    this.connected = base.connected.slice();
    this.#part = arena.part(
      firstSection,
      (part) => this.#lay(part),
      () => this.#pack(),
    );
    this.#unpack();
    this.#takeOver();
  }

  /** Bytes held outside the arena. */
  get derivedBytes(): number {
    return (
      this.connected.byteLength +
      this.#rowOfColumn.byteLength +
      this.#times.byteLength +
      this.#dueAt.byteLength +
      this.#trueAt.byteLength
    );
  }

  /** Columns that have a row of their own. */
  get rowCount(): number {
    return this.#rowCount[0];
  }

  /** A column's permanences in the order of its pool: a copy. */
  permanencesOf(column: number): Float32Array {
    const { poolSize } = this.#base;
    const row = this.#rowOfColumn[column];
    if (row === NO_ROW) return this.#base.permanences.slice(column * poolSize, (column + 1) * poolSize);
    this.#bringUpToDate(row);
    return this.#permanences.slice(row * poolSize, (row + 1) * poolSize);
  }

  /** Inputs a column is connected to, ascending. */
  connectedInputsOf(column: number): number[] {
    const { poolInputs, poolSize, columnWords } = this.#base;
    const pool = poolInputs.subarray(column * poolSize, (column + 1) * poolSize);
    return [...pool].filter((input) => (this.connected[input * columnWords + (column >>> 5)] >>> column) & 1);
  }

  /** A winning column learns: pool members among `onInputs[0..count)` gain, the others lose. */
  learn(column: number, onInputs: Uint16Array, count: number): void {
    const row = this.#rowOf(column);
    if (this.#stimulusThreshold > 0) this.#learnAll(row, column, onInputs, count);
    else this.#learnOn(row, column, onInputs, count);
  }

  /** A weak column gains on all synapses. Model reference, section 3.5. */
  lift(column: number): void {
    const { constants, poolSize } = this.#base;
    const row = this.#rowOf(column);
    this.#bringUpToDate(row);
    constants.lift(this.#permanences, row * poolSize, poolSize);
    this.#refresh(row, column);
  }

  #learnOn(row: number, column: number, onInputs: Uint16Array, count: number): void {
    const { falls, rises } = this.#steps;
    const connectedFromBits = this.#connectedFromBits;
    const bits = this.#bits;
    const trueAt = this.#trueAt;
    const before = this.#times[row];
    const now = before + 1;
    const pooled = this.#gatherPooled(row, column, onInputs, count);
    for (let k = 0; k < pooled; k++) {
      const i = gathered[k];
      const stored = bits[i];
      const inBinade = stored - 1;
      const binade = inBinade >>> 23;
      const missed = before - trueAt[i];
      const fallen = (stored - Math.imul(missed, falls[binade])) | 0;
      let risen = (fallen + rises[binade]) | 0;
      // Without branches, which could not be foreseen: at most 1.
      const excess = risen - ONE_BITS;
      risen -= excess & ~(excess >> 31);
      // All three in one binade: they differ below the exponent only.
      if ((((fallen - 1) ^ inBinade) | ((risen - 1) ^ inBinade)) >>> 23 !== 0)
        risen = this.#steps.afterIncrement(this.#steps.afterDecrements(stored, missed));
      bits[i] = risen;
      trueAt[i] = now;
      // Below and then not below: the sign of both differences.
      if (((stored - connectedFromBits) & ~(risen - connectedFromBits)) < 0)
        this.#connect(row, i, now, risen);
    }
    this.#times[row] = now;
    if (now >= this.#dueAt[row]) this.#bringUpToDate(row);
  }

  /**
   * Lists in `gathered` the synapses of a row with `onInputs[0..count)`. Without a branch per input: whether it is in
   * the pool cannot be foreseen.
   */
  #gatherPooled(row: number, column: number, onInputs: Uint16Array, count: number): number {
    const { poolPlaces, poolSize, inputCount } = this.#base;
    const rowStart = row * poolSize;
    const placesStart = column * inputCount;
    let pooled = 0;
    for (let k = 0; k < count; k++) {
      const place = poolPlaces[placesStart + onInputs[k]];
      gathered[pooled] = rowStart + place;
      pooled += (place - NOT_POOLED) >>> 31;
    }
    return pooled;
  }

  /** The synapse `i` of a row, now with the permanence pattern `bits`, becomes connected. */
  #connect(row: number, i: number, now: number, bits: number): void {
    this.connected[this.#wordOf(row, i)] |= 1 << this.#columns[row];
    const due = now + this.#steps.leastTimesUntilBelow(bits, this.#connectedFromBits);
    if (due < this.#dueAt[row]) this.#dueAt[row] = due;
  }

  /** The word of `connected` that holds the bit of a row's synapse `i`. */
  #wordOf(row: number, i: number): number {
    const { poolInputs, poolSize, columnWords } = this.#base;
    const column = this.#columns[row];
    return poolInputs[(column - row) * poolSize + i] * columnWords + (column >>> 5);
  }

  /** Learning where raising may follow, which needs all permanences as they are before they are trimmed. */
  #learnAll(row: number, column: number, onInputs: Uint16Array, count: number): void {
    const { constants, poolInputs, poolSize } = this.#base;
    this.#isOn.fill(0);
    for (let k = 0; k < count; k++) this.#isOn[onInputs[k]] = 1;
    const rowStart = row * poolSize;
    for (let place = 0; place < poolSize; place++) {
      const isOn = this.#isOn[poolInputs[column * poolSize + place]] === 1;
      this.#permanences[rowStart + place] += isOn ? constants.increment : -constants.decrement;
    }
    constants.raise(this.#permanences, rowStart, poolSize, this.#stimulusThreshold);
    this.#timesLearned[row]++;
    this.#refresh(row, column);
  }

  /** Makes a row's permanences true and takes back the connections that were lost. */
  #bringUpToDate(row: number): void {
    const { poolSize } = this.#base;
    const { falls } = this.#steps;
    const connectedFromBits = this.#connectedFromBits;
    const bits = this.#bits;
    const trueAt = this.#trueAt;
    const now = this.#times[row];
    if (now === 0) return;
    this.#timesLearned[row] += now;
    const rowStart = row * poolSize;
    let leastConnected = NONE;
    for (let i = rowStart; i < rowStart + poolSize; i++) {
      const stored = bits[i];
      const inBinade = stored - 1;
      const missed = now - trueAt[i];
      let current = (stored - Math.imul(missed, falls[inBinade >>> 23])) | 0;
      if (((current - 1) ^ inBinade) >>> 23 !== 0) current = this.#steps.afterDecrements(stored, missed);
      bits[i] = current;
      trueAt[i] = 0;
      if (stored < connectedFromBits) continue;
      if (current < connectedFromBits) this.connected[this.#wordOf(row, i)] &= ~(1 << this.#columns[row]);
      else if (current < leastConnected) leastConnected = current;
    }
    this.#times[row] = 0;
    this.#dueAt[row] = this.#timesUntilLoss(leastConnected);
  }

  /** For a row whose permanences are true: connects what is to be connected, and trims. Section 3.6, rules 2 and 3. */
  #refresh(row: number, column: number): void {
    const { constants, poolSize } = this.#base;
    const rowStart = row * poolSize;
    for (let i = rowStart; i < rowStart + poolSize; i++) {
      if (this.#permanences[i] >= constants.connectedFrom)
        this.connected[this.#wordOf(row, i)] |= 1 << column;
      else this.connected[this.#wordOf(row, i)] &= ~(1 << column);
    }
    constants.trim(this.#permanences, rowStart, poolSize);
    this.#dueAt[row] = this.#timesUntilLoss(this.#leastConnected(row));
  }

  /** Bit pattern of the least permanence of a row that is connected. */
  #leastConnected(row: number): number {
    const { poolSize } = this.#base;
    let least = NONE;
    for (let i = row * poolSize; i < (row + 1) * poolSize; i++) {
      const bits = this.#bits[i];
      if (bits >= this.#connectedFromBits && bits < least) least = bits;
    }
    return least;
  }

  #timesUntilLoss(leastConnectedBits: number): number {
    if (leastConnectedBits === NONE) return MAX_TIMES;
    const times = this.#steps.leastTimesUntilBelow(leastConnectedBits, this.#connectedFromBits);
    return Math.min(times, MAX_TIMES);
  }

  #rowOf(column: number): number {
    const row = this.#rowOfColumn[column];
    return row === NO_ROW ? this.#addRow(column) : row;
  }

  #addRow(column: number): number {
    const { permanences, poolSize, columnCount } = this.#base;
    const row = this.rowCount;
    if (row === this.#columns.length) {
      const capacity = Math.min(columnCount, row + Math.max(MIN_ROWS_ADDED, row >>> 4));
      this.#resize(capacity);
    }
    this.#columns[row] = column;
    this.#rowOfColumn[column] = row;
    this.#rowCount[0] = row + 1;
    this.#permanences.set(permanences.subarray(column * poolSize, (column + 1) * poolSize), row * poolSize);
    this.#dueAt[row] = this.#timesUntilLoss(this.#leastConnected(row));
    return row;
  }

  #resize(rows: number): void {
    this.#part.resize([
      [COLUMNS_SECTION, rows],
      [TIMES_SECTION, rows],
      [PERMANENCES_SECTION, rows * this.#base.poolSize],
    ]);
  }

  #lay(part: ArenaPart): void {
    this.#rowCount = part.view(0);
    this.#columns = part.view(COLUMNS_SECTION);
    this.#timesLearned = part.view(TIMES_SECTION);
    this.#permanences = part.view(PERMANENCES_SECTION);
    const { buffer, byteOffset, length } = this.#permanences;
    this.#bits = new Int32Array(buffer, byteOffset, length);
    this.#extendCounts(this.#columns.length);
  }

  #pack(): ReadonlyMap<number, Uint8Array> {
    const rows = this.rowCount;
    for (let row = 0; row < rows; row++) this.#bringUpToDate(row);
    const packed = new PoolerPacking(this.#base, this.#steps).pack({
      columns: this.#columns.subarray(0, rows),
      timesLearned: this.#timesLearned.subarray(0, rows),
      permanenceBits: this.#bits.subarray(0, rows * this.#base.poolSize),
    });
    return new Map([[COLUMNS_SECTION, packed]]);
  }

  /** Fills the rows of a loaded arena. */
  #unpack(): void {
    const packing = new PoolerPacking(this.#base, this.#steps);
    const rows = packing.unpack(this.#part.packed(COLUMNS_SECTION), this.rowCount);
    this.#resize(this.rowCount);
    this.#columns.set(rows.columns);
    this.#timesLearned.set(rows.timesLearned);
    this.#bits.set(rows.permanenceBits);
  }

  #extendCounts(capacity: number): void {
    if (capacity === this.#times.length) return;
    this.#times = extended(this.#times, capacity);
    this.#dueAt = extended(this.#dueAt, capacity);
    this.#trueAt = extended(this.#trueAt, capacity * this.#base.poolSize);
  }

  /** Checks the rows that are there and connects their synapses. */
  #takeOver(): void {
    const { columnCount, poolSize, constants, permanences } = this.#base;
    const least = bitsOf(constants.trimBelow);
    const initialBits = new Int32Array(permanences.buffer);
    const rowBits = this.#bits;
    const connectedFromBits = this.#connectedFromBits;
    for (let row = 0; row < this.rowCount; row++) {
      const column = this.#columns[row];
      if (column >= columnCount || this.#rowOfColumn[column] !== NO_ROW)
        throw new ArenaFormatError(`spatial pooler: column ${column} of row ${row}`);
      this.#rowOfColumn[column] = row;
      const toInitial = (column - row) * poolSize;
      let leastConnected = NONE;
      for (let i = row * poolSize; i < (row + 1) * poolSize; i++) {
        const bits = rowBits[i];
        if (bits !== 0 && (bits < least || bits > ONE_BITS))
          throw new ArenaFormatError(`spatial pooler: permanence ${this.#permanences[i]}`);
        const isConnected = bits >= connectedFromBits;
        if (isConnected && bits < leastConnected) leastConnected = bits;
        if (isConnected !== initialBits[toInitial + i] >= connectedFromBits)
          this.connected[this.#wordOf(row, i)] ^= 1 << column;
      }
      this.#dueAt[row] = this.#timesUntilLoss(leastConnected);
    }
  }
}

function extended(array: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const longer = new Uint8Array(length);
  longer.set(array);
  return longer;
}

function bitsOf(value: number): number {
  return new Int32Array(Float32Array.of(value).buffer)[0];
}

// Of exported constants the compiler looks up the value at each use; these are part of the compiled code.
const ONE_BITS = oneBits;
const NOT_POOLED = notPooled;

/** Scratch of `#gatherPooled`, for as many on inputs as there can be. */
const gathered = new Int32Array(NOT_POOLED);
const COLUMNS_SECTION = 1;
const TIMES_SECTION = 2;
const PERMANENCES_SECTION = 3;
const NO_ROW = 0xffff;
const NONE = 0x7fffffff;
const MAX_TIMES = 255;
const MIN_ROWS_ADDED = 16;
