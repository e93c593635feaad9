import { ArenaFormatError } from '../arena.ts';
import type { Arena, ArenaPart, SectionSpec } from '../arena.ts';
import { ColumnHistory, bitSetWords } from './column-history.ts';
import {
  CELL_MASK as cellMask,
  CELL_SHIFT as cellShift,
  CELL_STRIDE,
  MAX_COLUMNS,
  allCells,
} from './parameters.ts';
import type { BacktrackingMemoryParameters } from './parameters.ts';
import type { Segments } from './segments.ts';
import { workspace } from './workspace.ts';

/**
 * The inference state: which cells are active, which are predicted, and which columns have confidence, with the
 * replay of recent inputs when the state no longer explains them. Model reference, sections 4.4 to 4.6.
 *
 * Cells are one 32-bit word per column. Confidences themselves are not kept: scores need only which columns have
 * any, and every read of a duty cycle that forming them involves is made (it changes the stored duty cycle). Nor are
 * the states of the record before kept: each record begins by taking the present predictions as its previous ones,
 * and reads no other previous state.
 */
export class Inference {
  readonly #p: BacktrackingMemoryParameters;
  readonly #segments: Segments;
  readonly #history: ColumnHistory;
  readonly #savedActive: Uint32Array;
  #active!: Uint32Array;
  #predicted!: Uint32Array;
  #confident!: Uint32Array;

  private constructor(arena: Arena, section: number, p: BacktrackingMemoryParameters, segments: Segments) {
    this.#p = p;
    this.#segments = segments;
    this.#savedActive = savedActive.subarray(0, p.columnCount);
    this.#history = new ColumnHistory(historyCapacity(p), p.columnCount);
    arena.part(section, (part) => this.#lay(part));
  }

  static schema(p: BacktrackingMemoryParameters): SectionSpec[] {
    return [
      { name: 'inferenceActive', type: 'u32', length: p.columnCount },
      { name: 'inferencePredicted', type: 'u32', length: p.columnCount },
      { name: 'confidentColumns', type: 'u32', length: bitSetWords(p.columnCount) },
      {
        name: 'inferenceHistory',
        type: 'u32',
        length: ColumnHistory.words(historyCapacity(p), p.columnCount),
      },
    ];
  }

  /** Over the zeroed sections of a new arena. */
  static create(
    arena: Arena,
    section: number,
    p: BacktrackingMemoryParameters,
    segments: Segments,
  ): Inference {
    return new Inference(arena, section, p, segments);
  }

  /**
   * Over the sections of a loaded arena.
   * @throws ArenaFormatError when they name cells or columns that do not exist.
   */
  static attach(
    arena: Arena,
    section: number,
    p: BacktrackingMemoryParameters,
    segments: Segments,
  ): Inference {
    const inference = new Inference(arena, section, p, segments);
    inference.#check();
    return inference;
  }

  /** Active cells, one word per column. */
  get active(): Uint32Array {
    return this.#active;
  }

  /** Predicted cells, one word per column. */
  get predicted(): Uint32Array {
    return this.#predicted;
  }

  /** Entries of the history. */
  get historyLength(): number {
    return this.#history.length;
  }

  /** Whether the column is predicted for the next record, as the raw score means it. */
  hasConfidence(column: number): boolean {
    return ((this.#confident[column >>> 5] >>> (column & 31)) & 1) === 1;
  }

  /** One record: `n` active columns, ascending; `density` as in 4.3. */
  update(columns: Uint16Array, n: number, afterReset: boolean, density: number): void {
    this.#previousPredictions();
    if (this.#p.maxInfBacktrack > 0) this.#history.append(columns, n);
    if (!this.#activate(columns, n, afterReset) || !this.#predict(columns, n, density))
      this.#backtrack(density);
  }

  reset(): void {
    this.#active.fill(0);
    this.#predicted.fill(0);
    this.#confident.fill(0);
    this.#history.clear();
  }

  #lay(part: ArenaPart): void {
    this.#active = part.view(0);
    this.#predicted = part.view(1);
    this.#confident = part.view(2);
    this.#history.lay(part.view(3));
  }

  #previousPredictions(): void {
    previouslyPredicted.set(this.#predicted);
  }

  /** Phase 1: the predicted cells of the columns, or all cells of a column without one. @returns whether enough columns were predicted. */
  #activate(columns: Uint16Array, n: number, fromStartCells: boolean): boolean {
    const active = this.#active.fill(0);
    if (fromStartCells) {
      for (let i = 0; i < n; i++) active[columns[i]] = 1;
      return true;
    }
    const all = allCells(this.#p);
    let predicted = 0;
    for (let i = 0; i < n; i++) {
      const word = previouslyPredicted[columns[i]];
      active[columns[i]] = word === 0 ? all : word;
      if (word !== 0) predicted++;
    }
    return predicted * 2 >= n;
  }

  /** Phase 2: what the active cells (all within `columns`) predict. @returns whether it is enough. */
  #predict(columns: Uint16Array, n: number, density: number): boolean {
    const segments = this.#segments;
    const threshold = this.#p.activationThreshold;
    const active = this.#active;
    const predicted = this.#predicted.fill(0);
    const confident = this.#confident.fill(0);
    segments.countColumns(columns, n, active);
    const found = segments.rowsAtLeast(threshold);
    const rows = workspace.rows;
    let predictedColumns = 0;
    for (let i = 0; i < found; i++) {
      const row = rows[i];
      const cell = segments.cell(row);
      const column = cell >>> CELL_SHIFT;
      const bit = 1 << (cell & CELL_MASK);
      if (segments.duty(row) > 0) confident[column >>> 5] |= 1 << (column & 31);
      const word = predicted[column];
      if ((word & bit) === 0 && segments.predicts(row, active, threshold)) {
        if (word === 0) predictedColumns++;
        predicted[column] = word | bit;
      }
    }
    return predictedColumns >= 0.5 * density;
  }

  /** Looks for a past record from whose start cells the inputs up to now are explained. Model reference, section 4.6. */
  #backtrack(density: number): void {
    const history = this.#history;
    if (history.length === 0) return;
    const current = history.length - 1;
    this.#savedActive.set(this.#active);
    for (let start = 0; start <= current; start++) {
      if (this.#replay(start, current, density)) {
        history.dropOldest(start + 1);
        return;
      }
    }
    this.#active.set(this.#savedActive);
    const n = history.read(current, replayed);
    this.#predict(replayed, n, density);
    history.clear();
  }

  #replay(start: number, current: number, density: number): boolean {
    for (let entry = start; entry <= current; entry++) {
      this.#previousPredictions();
      const n = this.#history.read(entry, replayed);
      if (!this.#activate(replayed, n, entry === start) || !this.#predict(replayed, n, density)) return false;
    }
    return true;
  }

  #check(): void {
    this.#history.check();
    const { columnCount, cellsPerColumn } = this.#p;
    for (const words of [this.#active, this.#predicted]) {
      if (cellsPerColumn < CELL_STRIDE && words.some((word) => word >>> cellsPerColumn !== 0))
        throw new ArenaFormatError(`a column has active or predicted cells from ${cellsPerColumn} on`);
    }
    const last = this.#confident[this.#confident.length - 1];
    if ((columnCount & 31) !== 0 && last >>> (columnCount & 31) !== 0)
      throw new ArenaFormatError(`columns from ${columnCount} on have confidence`);
  }
}

function historyCapacity(p: BacktrackingMemoryParameters): number {
  return p.maxInfBacktrack > 0 ? p.maxInfBacktrack + 1 : 0;
}

// Scratch of one update, shared by all memories of the thread.
/** Predicted cells of the record before, one word per column. */
const previouslyPredicted = new Uint32Array(MAX_COLUMNS);
const savedActive = new Uint32Array(MAX_COLUMNS);
const replayed = new Uint16Array(MAX_COLUMNS);

// Of exported constants the compiler looks up the value at each use; these are part of the compiled code.
const CELL_MASK = cellMask;
const CELL_SHIFT = cellShift;
