import { ArenaFormatError } from '../arena.ts';
import type { Arena, ArenaPart, SectionSpec } from '../arena.ts';
import { keepBelow } from '../ceiling.ts';
import { Random } from '../random.ts';
import { ColumnHistory } from './column-history.ts';
import { CELL_MASK as cellMask, CELL_SHIFT as cellShift, MAX_COLUMNS } from './parameters.ts';
import type { BacktrackingMemoryParameters } from './parameters.ts';
import type { Segments } from './segments.ts';
import { CellSet, indexesAtLeast, workspace } from './workspace.ts';
import type { TypedArray } from '../tables.ts';

/**
 * The learning state: at most one active and one predicted cell per column, and from it the growth of segments.
 * Model reference, sections 4.7 to 4.14.
 *
 * Three facts make it small. (1) A column's segments are changed by that column's own updates only, and one that has
 * a queued update is a predicted one that needs no search; so the best segment per column found at the end of a
 * record still holds when the next record looks for the best matching one: one count per record serves both.
 * (2) A column is predicted exactly if its best segment reaches the activation threshold, and then exactly one update
 * is queued for it: the predicted cells and the queue follow from the best segments. (3) An update's sources all are
 * learning cells of the record that queued it; those the segment already has are known, so that only the new ones
 * are kept, as a bit mask over those cells. Their draws are consumed when the update is queued, applied or not.
 */
export class Learning {
  readonly #p: BacktrackingMemoryParameters;
  readonly #segments: Segments;
  readonly #history: ColumnHistory;
  readonly #part: ArenaPart;
  #counters!: Uint32Array;
  #random!: Random;
  /** Learning cells, ascending, at most one of a column. */
  #active!: Uint16Array;
  /** Per predicted column, ascending: the new sources of its queued update, as bits over the learning cells. */
  #queued!: Uint32Array;

  // Derived: per column the most learning cells that one of its segments has as sources, and that segment.
  readonly #bestCount: Uint8Array;
  readonly #bestCountWords: Int32Array;
  readonly #bestRow: Uint32Array;

  private constructor(arena: Arena, section: number, p: BacktrackingMemoryParameters, segments: Segments) {
    this.#p = p;
    this.#segments = segments;
    this.#history = new ColumnHistory(historyCapacity(p), p.columnCount);
    this.#bestCount = new Uint8Array((p.columnCount + 3) & ~3);
    this.#bestCountWords = new Int32Array(this.#bestCount.buffer);
    this.#bestRow = new Uint32Array(p.columnCount);
    this.#part = arena.part(section, (part) => this.#lay(part));
  }

  static schema(p: BacktrackingMemoryParameters): SectionSpec[] {
    return [
      { name: 'learningCounters', type: 'u32', length: COUNTERS },
      { name: 'memoryRandom', type: 'u32', length: Random.STATE_WORDS },
      { name: 'learningActive', type: 'u16', length: p.columnCount },
      {
        name: 'learningHistory',
        type: 'u32',
        length: ColumnHistory.words(historyCapacity(p), p.columnCount),
      },
      {
        name: 'queuedSources',
        type: 'u32',
        length: Math.min(FIRST_QUEUED_WORDS, mostQueuedWords(p)),
        maxLength: mostQueuedWords(p),
      },
    ];
  }

  /** Over the zeroed sections of a new arena. */
  static create(
    arena: Arena,
    section: number,
    p: BacktrackingMemoryParameters,
    segments: Segments,
  ): Learning {
    const learning = new Learning(arena, section, p, segments);
    Random.seeded(p.seed, learning.#part.view<Uint32Array>(RANDOM_SECTION));
    learning.#counters[PAM] = p.pamLength;
    return learning;
  }

  /**
   * Over the sections of a loaded arena, whose segments are attached already.
   * @throws ArenaFormatError when they could not have come from these parameters and segments.
   */
  static attach(
    arena: Arena,
    section: number,
    p: BacktrackingMemoryParameters,
    segments: Segments,
  ): Learning {
    const learning = new Learning(arena, section, p, segments);
    learning.#check();
    learning.#findBest();
    learning.#checkQueue();
    return learning;
  }

  /** The tables it holds outside the arena, and not shared. */
  tables(): TypedArray[] {
    return [this.#bestCount, this.#bestRow];
  }

  get pamCounter(): number {
    return this.#counters[PAM];
  }

  get learnedSeqLength(): number {
    return this.#counters[LEARNED];
  }

  /** Entries of the history. */
  get historyLength(): number {
    return this.#history.length;
  }

  /** Learning cells, ascending (column * 32 + cell). */
  get active(): Uint16Array {
    return this.#active.subarray(0, this.#counters[ACTIVE]);
  }

  /** Cells predicted by the learning state, ascending (column * 32 + cell); for tests and tools. */
  predicted(): number[] {
    const n = this.#predictedColumns();
    return Array.from(predictedColumns.subarray(0, n), (column) =>
      this.#segments.cell(this.#bestRow[column]),
    );
  }

  /** One record: `n` active columns, ascending. Model reference, section 4.7. */
  update(columns: Uint16Array, n: number, afterReset: boolean): void {
    const { pamLength, maxSeqLength, maxLrnBacktrack } = this.#p;
    this.#rememberActive();
    if (maxLrnBacktrack > 0) this.#history.append(columns, n);
    this.#applyQueue(columns, n);
    if (this.#counters[PAM] > 0) this.#counters[PAM]--;
    this.#counters[LEARNED]++;
    // From here on the arena may move.
    if (!afterReset && this.#activate(columns, n, false)) this.#counters[PAM] = pamLength;
    if (
      afterReset ||
      this.#counters[PAM] === 0 ||
      (maxSeqLength !== 0 && this.#counters[LEARNED] >= maxSeqLength)
    )
      this.#startOver(columns, n, afterReset);
    // Here nothing refers to a row: the queue is done with, and the best rows are about to be found anew.
    keepBelow(this.#p.ceiling, this.#segments);
    this.#predict(false);
  }

  reset(): void {
    this.#counters[ACTIVE] = 0;
    this.#bestCount.fill(0);
    this.#history.clear();
  }

  #lay(part: ArenaPart): void {
    this.#counters = part.view(0);
    this.#random = new Random(part.view<Uint32Array>(RANDOM_SECTION));
    this.#active = part.view(2);
    this.#history.lay(part.view(3));
    this.#queued = part.view(QUEUE_SECTION);
  }

  /** The learning cells become those of the record before. */
  #rememberActive(): void {
    previous.set(this.#active, this.#counters[ACTIVE]);
  }

  #startOver(columns: Uint16Array, n: number, afterReset: boolean): void {
    const replayedRecords = afterReset ? 0 : this.#backtrack();
    if (replayedRecords === 0) {
      this.#activateStartCells(columns, n);
      this.#history.clear();
    }
    this.#counters[PAM] = this.#p.pamLength;
    this.#counters[LEARNED] = replayedRecords;
  }

  #activateStartCells(columns: Uint16Array, n: number): void {
    for (let i = 0; i < n; i++) this.#active[i] = columns[i] << CELL_SHIFT;
    this.#counters[ACTIVE] = n;
  }

  /**
   * Phase 1 (4.8): the predicted cells of the columns; for the others, unless only reading, the cell of the best
   * matching segment or of a new one, which learns the previous learning cells at once.
   * @returns whether fewer than half of the columns were not predicted.
   */
  #activate(columns: Uint16Array, n: number, readOnly: boolean): boolean {
    const segments = this.#segments;
    if (!readOnly) segments.reserve(n);
    const active = this.#active;
    const { activationThreshold, minThreshold } = this.#p;
    let found = 0;
    let unpredicted = 0;
    for (let i = 0; i < n; i++) {
      const column = columns[i];
      const best = this.#bestCount[column];
      if (best >= activationThreshold) {
        active[found++] = segments.cell(this.#bestRow[column]);
        continue;
      }
      unpredicted++;
      if (readOnly) continue;
      if (best >= minThreshold) {
        const row = this.#bestRow[column];
        active[found++] = segments.cell(row);
        const added = this.#chooseNewSources(row, best, previous);
        segments.adapt(row, previous, this.#cellsAt(added), added);
      } else {
        const cell = segments.chooseCell(column, this.#random);
        active[found++] = cell;
        const added = this.#choosePositions(previous.length, this.#p.newSynapseCount, everyPosition);
        if (added > 0) segments.create(cell, this.#cellsAt(added), added);
      }
    }
    this.#counters[ACTIVE] = found;
    return unpredicted < n >>> 1;
  }

  /** Phase 2 (4.12): the best segment of every column; unless only reading, an update is queued for the predicted ones. */
  #predict(readOnly: boolean): void {
    this.#findBest();
    if (readOnly) return;
    const n = this.#predictedColumns();
    const learning = this.#counters[ACTIVE];
    const width = maskWords(learning);
    if (this.#queued.length < n * width)
      this.#part.resize([[QUEUE_SECTION, Math.min(n * width * 2, mostQueuedWords(this.#p))]]);
    present.set(this.#active, learning);
    const queued = this.#queued.fill(0);
    for (let i = 0; i < n; i++) {
      const column = predictedColumns[i];
      const added = this.#chooseNewSources(this.#bestRow[column], this.#bestCount[column], present);
      const mask = i * width;
      for (let a = 0; a < added; a++) queued[mask + (chosen[a] >>> 5)] |= 1 << (chosen[a] & 31);
    }
  }

  #findBest(): void {
    const { activationThreshold, minThreshold } = this.#p;
    const segments = this.#segments;
    const bestCount = this.#bestCount.fill(0);
    const bestRow = this.#bestRow;
    if (this.#counters[ACTIVE] === 0) return;
    segments.countCells(this.#active, this.#counters[ACTIVE]);
    const found = segments.rowsAtLeast(Math.min(activationThreshold, minThreshold));
    const { counts, rows } = workspace;
    for (let i = 0; i < found; i++) {
      const row = rows[i];
      const cell = segments.cell(row);
      const column = cell >>> CELL_SHIFT;
      const count = counts[row];
      // Ties go to the highest cell, then to the lowest slot, which comes first.
      if (count < bestCount[column]) continue;
      if (count === bestCount[column] && cell <= segments.cell(bestRow[column])) continue;
      bestCount[column] = count;
      bestRow[column] = row;
    }
  }

  /** Writes the predicted columns to the scratch list, ascending. */
  #predictedColumns(): number {
    return indexesAtLeast(
      this.#bestCountWords,
      this.#p.columnCount,
      this.#p.activationThreshold,
      predictedColumns,
    );
  }

  /** Applies the queued updates of the columns that are now active; all are dropped then (4.11). */
  #applyQueue(columns: Uint16Array, n: number): void {
    const queuedColumns = this.#predictedColumns();
    const width = maskWords(previous.length);
    let c = 0;
    for (let i = 0; i < queuedColumns && c < n; i++) {
      const column = predictedColumns[i];
      while (c < n && columns[c] < column) c++;
      if (c === n || columns[c] !== column) continue;
      const added = this.#queuedPositions(i * width, width);
      this.#segments.adapt(this.#bestRow[column], previous, this.#cellsAt(added), added);
    }
  }

  /** Unpacks a queued mask to the scratch positions. */
  #queuedPositions(mask: number, width: number): number {
    let n = 0;
    for (let w = 0; w < width; w++) {
      for (let rest = this.#queued[mask + w] | 0; rest !== 0; rest &= rest - 1)
        chosen[n++] = (w << 5) + 31 - Math.clz32(rest & -rest);
    }
    return n;
  }

  /** Chooses the sources an update adds to a segment that has `count` of the cells already; the result is in `chosen`. */
  #chooseNewSources(row: number, count: number, cells: CellSet): number {
    const wanted = this.#p.newSynapseCount - count;
    if (wanted <= 0) return 0;
    return this.#choosePositions(this.#segments.positionsOfNew(row, cells, candidates), wanted, candidates);
  }

  /** Chooses up to `wanted` of the `n` positions in `from` with the draws of 4.10; the result is in `chosen`. */
  #choosePositions(n: number, wanted: number, from: Uint16Array): number {
    if (n <= wanted) {
      for (let i = 0; i < n; i++) chosen[i] = from[i];
      return n;
    }
    if (wanted === 1) chosen[0] = from[this.#random.below(n)];
    else this.#random.sample(from, n, wanted, chosen);
    return wanted;
  }

  /** Turns the chosen positions into the previous learning cells at them. */
  #cellsAt(n: number): Uint16Array {
    for (let i = 0; i < n; i++) chosenCells[i] = previous.cells[chosen[i]];
    return chosenCells;
  }

  /** Replays past records from start cells. @returns how many records the present sequence then has, 0 for none (4.14). */
  #backtrack(): number {
    const history = this.#history;
    const current = history.length - 1;
    for (let start = 0; start < current; start++) {
      if (!this.#replay(start, current, true)) continue;
      this.#replay(start, current, false);
      history.dropOldest(start + 1);
      return current - start;
    }
    return 0;
  }

  #replay(start: number, current: number, readOnly: boolean): boolean {
    for (let entry = start; ; entry++) {
      const n = this.#history.read(entry, replayed);
      this.#rememberActive();
      if (entry === start) {
        this.#activateStartCells(replayed, n);
      } else {
        if (!readOnly) this.#applyQueue(replayed, n);
        if (!this.#activate(replayed, n, readOnly)) return false;
      }
      if (entry === current) return true;
      this.#predict(readOnly);
    }
  }

  #check(): void {
    const { columnCount, cellsPerColumn, pamLength } = this.#p;
    this.#history.check();
    const random = this.#part.view<Uint32Array>(RANDOM_SECTION);
    checkRandomState(random);
    if (this.pamCounter > pamLength)
      throw new ArenaFormatError(`the pam counter is ${this.pamCounter}, at most ${pamLength} is possible`);
    const n = this.#counters[ACTIVE];
    if (n > columnCount) throw new ArenaFormatError(`${n} learning cells for ${columnCount} columns`);
    let previous = -1;
    for (let i = 0; i < n; i++) {
      const cell = this.#active[i];
      const column = cell >>> CELL_SHIFT;
      if (column <= previous || column >= columnCount || (cell & CELL_MASK) >= cellsPerColumn)
        throw new ArenaFormatError(`learning cell ${cell} is out of order or does not exist`);
      previous = column;
    }
  }

  #checkQueue(): void {
    const learning = this.#counters[ACTIVE];
    const width = maskWords(learning);
    const n = this.#predictedColumns();
    present.set(this.#active, learning);
    if (n * width > this.#queued.length)
      throw new ArenaFormatError(`${n} columns are predicted but there are fewer queued updates`);
    for (let i = 0; i < n; i++) {
      const column = predictedColumns[i];
      const row = this.#bestRow[column];
      const known = this.#segments.positionsOfNew(row, present, candidates);
      const isNew = new Set(candidates.subarray(0, known));
      const added = this.#queuedPositions(i * width, width);
      const wanted = Math.max(0, this.#p.newSynapseCount - this.#bestCount[column]);
      if (added > wanted || chosen.subarray(0, added).some((position) => !isNew.has(position)))
        throw new ArenaFormatError(`the update queued for column ${column} adds sources it cannot add`);
    }
  }
}

function historyCapacity(p: BacktrackingMemoryParameters): number {
  return p.maxLrnBacktrack > 0 ? p.maxLrnBacktrack + 1 : 0;
}

/** 32-bit words of a mask over `cells` cells. */
function maskWords(cells: number): number {
  return (cells + 31) >>> 5;
}

function mostQueuedWords(p: BacktrackingMemoryParameters): number {
  return p.columnCount * maskWords(p.columnCount);
}

function checkRandomState(state: Uint32Array): void {
  const summands = Random.STATE_WORDS - 2;
  if (state[summands] >= summands || state[summands + 1] >= summands)
    throw new ArenaFormatError('the state of the generator has indexes out of range');
}

const PAM = 0;
const LEARNED = 1;
const ACTIVE = 2;
const COUNTERS = 3;
const RANDOM_SECTION = 1;
const QUEUE_SECTION = 4;
const FIRST_QUEUED_WORDS = 128;

// Scratch of one update, shared by all memories of the thread.
/** Learning cells of the record before, and of the present one. */
const previous = new CellSet();
const present = new CellSet();
const predictedColumns = new Uint16Array(MAX_COLUMNS);
const replayed = new Uint16Array(MAX_COLUMNS);
/** One more than there can be: writing them is branch-free. */
const candidates = new Uint16Array(MAX_COLUMNS + 1);
const chosen = new Uint16Array(MAX_COLUMNS);
const chosenCells = new Uint16Array(MAX_COLUMNS);
const everyPosition = Uint16Array.from({ length: MAX_COLUMNS }, (_, i) => i);

// Of exported constants the compiler looks up the value at each use; these are part of the compiled code.
const CELL_MASK = cellMask;
const CELL_SHIFT = cellShift;
