import { ArenaFormatError } from '../arena.ts';
import type { Arena, SectionSpec } from '../arena.ts';
import { BANK_MASK as bankMask, BANK_ROWS, BANK_SHIFT as bankShift, ForwardIndex } from '../forward-index.ts';
import type { Random } from '../random.ts';
import { evictRows } from './eviction.ts';
import { CELL_SHIFT as cellShift, CELL_STRIDE, MAX_COLUMNS, allCells } from './parameters.ts';
import type { BacktrackingMemoryParameters } from './parameters.ts';
import { CONNECTED_BYTE, HEADER_BYTES, SIZE_BYTE, SegmentRows } from './segment-rows.ts';
import type { SegmentView } from './segment-rows.ts';
import { indexesAtLeast, workspace } from './workspace.ts';
import type { CellSet } from './workspace.ts';
import type { TypedArray } from '../tables.ts';

/**
 * The segments of a backtracking memory: counting what is active on them, making, changing and releasing them.
 * Model reference, sections 4.5, 4.8 and 4.9. A segment is known by its row.
 */
export class Segments {
  readonly #p: BacktrackingMemoryParameters;
  readonly #rows: SegmentRows;
  /** The word of a column whose cells are all active. */
  readonly #allCells: number;

  // Derived from the rows when they are attached:
  #emptyRows = 0;
  #synapseCount = 0;
  /** One index per bank of rows. */
  readonly #index: ForwardIndex[] = [];
  /** Per column: 1 + its newest row, from which links lead on to the older ones; 0 for none. */
  readonly #newestRow: Uint32Array;
  /** Per cell: its slots, emptied ones included. */
  readonly #slots: Uint8Array;

  private constructor(arena: Arena, section: number, p: BacktrackingMemoryParameters) {
    this.#p = p;
    this.#rows = new SegmentRows(arena, section, p);
    this.#allCells = allCells(p);
    this.#newestRow = new Uint32Array(p.columnCount);
    this.#slots = new Uint8Array(p.columnCount * CELL_STRIDE);
  }

  static schema(p: BacktrackingMemoryParameters): SectionSpec[] {
    return SegmentRows.schema(p);
  }

  /** Over the zeroed sections of a new arena. */
  static create(arena: Arena, section: number, p: BacktrackingMemoryParameters): Segments {
    return new Segments(arena, section, p);
  }

  /**
   * Over the sections of a loaded arena.
   * @throws ArenaFormatError when a row could not have come from these parameters.
   */
  static attach(arena: Arena, section: number, p: BacktrackingMemoryParameters): Segments {
    const segments = new Segments(arena, section, p);
    segments.#rows.unpack();
    segments.#derive();
    return segments;
  }

  /** Learning computes so far. */
  get iteration(): number {
    return this.#rows.iteration;
  }

  /** Living segments. */
  get segmentCount(): number {
    return this.#rows.count - this.#emptyRows;
  }

  get synapseCount(): number {
    return this.#synapseCount;
  }

  /** The tables it holds outside the arena, and not shared. */
  tables(): TypedArray[] {
    return [...this.#index.flatMap((bank) => bank.tables()), this.#newestRow, this.#slots];
  }

  /** Starts a learning compute. */
  beginIteration(): void {
    this.#rows.beginIteration();
  }

  /** The owner of a segment (column * 32 + cell). */
  cell(row: number): number {
    return this.#rows.cell(row);
  }

  /** Reads a segment's duty cycle, which brings the stored one up to date. */
  duty(row: number): number {
    return this.#rows.duty(row);
  }

  /** Counts, into the workspace, the synapses of each row whose source is in `words`, in the `n` columns. */
  countColumns(columns: Uint16Array, n: number, words: Uint32Array): void {
    this.#clearCounts();
    for (let bank = 0; bank < this.#index.length; bank++)
      this.#index[bank].countColumns(columns, n, words, this.#allCells, workspace.countsOfBank[bank]);
  }

  /** Counts, into the workspace, the synapses of each row whose source is one of `n` cells. */
  countCells(cells: Uint16Array, n: number): void {
    this.#clearCounts();
    for (let bank = 0; bank < this.#index.length; bank++)
      this.#index[bank].countCells(cells, n, workspace.countsOfBank[bank]);
  }

  /** Writes the rows counted at least `threshold` times to the workspace, ascending, and returns their number. */
  rowsAtLeast(threshold: number): number {
    return indexesAtLeast(workspace.countWords, this.#rows.count, threshold, workspace.rows);
  }

  /** Whether at least `threshold` connected synapses have a source in `words`. */
  predicts(row: number, words: Uint32Array, threshold: number): boolean {
    const { headers, sources, sourceStride, permanences } = this.#rows;
    const header = row * HEADER_BYTES;
    if (headers[header + CONNECTED_BYTE] < threshold) return false;
    const start = row * sourceStride;
    const end = start + headers[header + SIZE_BYTE];
    const toPermanence = this.#permanencesOf(row) - start;
    const { connected } = this.#rows.scale;
    let missing = threshold;
    for (let i = start; i < end && missing > 0; i++) {
      const cell = sources[i];
      const isActive = (words[cell >>> CELL_SHIFT] >>> cell) & 1;
      missing -= permanences[toPermanence + i] >= connected ? isActive : 0;
    }
    return missing === 0;
  }

  /** Makes room for `more` segments. The arena may move. */
  reserve(more: number): void {
    this.#rows.reserve(more);
    const rows = this.#rows.count + more;
    workspace.reserve(rows);
    while (this.#index.length * BANK_ROWS < rows) this.#index.push(new ForwardIndex(this.#p.columnCount));
  }

  /**
   * Chooses the cell of a column on which a new segment will be made (4.9.1): drawn among those with a free place;
   * if there is none, the least useful segment of the column makes way and no draw is consumed.
   */
  chooseCell(column: number, random: Random): number {
    const { cellsPerColumn, maxSegmentsPerCell } = this.#p;
    const startCell = column << CELL_SHIFT;
    let free = 0;
    for (let cell = startCell + 1; cell < startCell + cellsPerColumn; cell++) {
      if (this.#slots[cell] < maxSegmentsPerCell) cellsWithRoom[free++] = cell;
    }
    return free > 0 ? cellsWithRoom[random.below(free)] : this.#releaseLeastUseful(column);
  }

  /** A new segment on `cell` with `n` sources (ascending), in the slot freed last or a new one. `reserve` before. */
  create(cell: number, sources: Uint16Array, n: number): void {
    const rows = this.#rows;
    const row = this.#takeReleased(cell) ?? this.#append(cell);
    const source = row * rows.sourceStride;
    const permanence = this.#permanencesOf(row);
    const { initial, connected } = rows.scale;
    const index = this.#index[row >>> BANK_SHIFT];
    for (let i = 0; i < n; i++) {
      rows.sources[source + i] = sources[i];
      rows.permanences[permanence + i] = initial;
      index.add(sources[i], row & BANK_MASK);
    }
    rows.headers[row * HEADER_BYTES + SIZE_BYTE] = n;
    rows.headers[row * HEADER_BYTES + CONNECTED_BYTE] = initial >= connected ? n : 0;
    rows.startDuty(row);
    this.#synapseCount += n;
  }

  /**
   * Applies an update to a segment (4.9): synapses from `learning` cells are strengthened, the others weakened, and
   * `n` sources (ascending, none of them a source yet) added. One synapse at least must be from a learning cell.
   */
  adapt(row: number, learning: CellSet, added: Uint16Array, n: number): void {
    this.#rows.reward(row);
    const before = this.#rows.size(row);
    const gone = this.#movePermanences(row, learning.words, before);
    let kept = gone > 0 ? this.#removeGone(row, before) : before;
    for (; kept + n > this.#p.maxSynapsesPerSegment; kept--) this.#removeWeakest(row, kept, learning.words);
    if (n > 0) this.#merge(row, kept, added, n);
    this.#rows.headers[row * HEADER_BYTES + SIZE_BYTE] = kept + n;
    this.#synapseCount += kept + n - before;
  }

  /** Removes the `count` segments used longest ago with their slots, and the slots emptied before. All rows get other numbers. */
  evict(count: number): void {
    evictRows(this.#rows, this.segmentCount, count);
    this.#emptyRows = 0;
    this.#synapseCount = 0;
    this.#index.length = 0;
    this.#newestRow.fill(0);
    this.#slots.fill(0);
    this.#derive();
  }

  /** Writes the positions of those `learning` cells that are not yet sources of the segment to `out`, ascending. */
  positionsOfNew(row: number, learning: CellSet, out: Uint16Array): number {
    const { words, positions, length } = learning;
    const { sources, sourceStride } = this.#rows;
    const start = row * sourceStride;
    const end = start + this.#rows.size(row);
    const known = knownPositions;
    for (let w = 0; w << 5 < length; w++) known[w] = 0;
    for (let i = start; i < end; i++) {
      const cell = sources[i];
      const column = cell >>> CELL_SHIFT;
      const position = positions[column];
      known[position >>> 5] |= ((words[column] >>> cell) & 1) << position;
    }
    let found = 0;
    for (let position = 0; position < length; position++) {
      out[found] = position;
      found += ~(known[position >>> 5] >>> position) & 1;
    }
    return found;
  }

  /** The segments as plain values, ascending by cell and slot; for tests and tools. */
  list(): SegmentView[] {
    const views: SegmentView[] = [];
    for (let row = 0; row < this.#rows.count; row++) {
      if (this.#rows.size(row) > 0) views.push(this.#rows.view(row));
    }
    // The sort is stable: rows of one cell keep their order, which is that of its slots.
    return views.sort((a, b) => a.cell - b.cell);
  }

  #permanencesOf(row: number): number {
    return row * this.#rows.permanenceStride + this.#rows.permanenceOffset;
  }

  #clearCounts(): void {
    workspace.reserve(this.#rows.count);
    // Whole words are read.
    workspace.counts.fill(0, 0, (this.#rows.count + 3) & ~3);
  }

  /** Strengthens and weakens the synapses of a row and returns how many of them fell to 0. */
  #movePermanences(row: number, learning: Uint32Array, size: number): number {
    const { sources, sourceStride, permanences, headers, scale } = this.#rows;
    const { coded, moves, increment, decrement, limit, connected } = scale;
    const start = row * sourceStride;
    const end = start + size;
    const toPermanence = this.#permanencesOf(row) - start;
    let stillConnected = 0;
    let gone = 0;
    for (let i = start; i < end; i++) {
      const cell = sources[i];
      const isLearning = (learning[cell >>> CELL_SHIFT] >>> cell) & 1;
      const old = permanences[toPermanence + i];
      const now = coded
        ? moves[(isLearning << 8) | old]
        : isLearning === 1
          ? Math.min(Math.fround(old + increment), limit)
          : Math.max(Math.fround(old - decrement), 0);
      permanences[toPermanence + i] = now;
      stillConnected += now >= connected ? 1 : 0;
      if (now === 0) gone++;
    }
    headers[row * HEADER_BYTES + CONNECTED_BYTE] = stillConnected;
    return gone;
  }

  /** Removes the synapses of permanence 0 from a row and returns how many are left. */
  #removeGone(row: number, size: number): number {
    const { sources, sourceStride, permanences } = this.#rows;
    const source = row * sourceStride;
    const permanence = this.#permanencesOf(row);
    let kept = 0;
    for (let i = 0; i < size; i++) {
      const cell = sources[source + i];
      const left = permanences[permanence + i];
      if (left === 0) {
        this.#index[row >>> BANK_SHIFT].remove(cell, row & BANK_MASK);
        continue;
      }
      sources[source + kept] = cell;
      permanences[permanence + kept] = left;
      kept++;
    }
    return kept;
  }

  /** Removes, of the `size` synapses of a row, the weakest that is not from a learning cell (the lowest source among equals). */
  #removeWeakest(row: number, size: number, learning: Uint32Array): void {
    const { sources, sourceStride, permanences, headers, scale } = this.#rows;
    const source = row * sourceStride;
    const permanence = this.#permanencesOf(row);
    let weakest = -1;
    let least = Infinity;
    for (let i = 0; i < size; i++) {
      if (permanences[permanence + i] >= least) continue;
      const cell = sources[source + i];
      if (((learning[cell >>> CELL_SHIFT] >>> cell) & 1) === 1) continue;
      least = permanences[permanence + i];
      weakest = i;
    }
    if (weakest < 0) throw new Error('an update adds more synapses than a segment can hold');
    if (least >= scale.connected) headers[row * HEADER_BYTES + CONNECTED_BYTE]--;
    this.#index[row >>> BANK_SHIFT].remove(sources[source + weakest], row & BANK_MASK);
    sources.copyWithin(source + weakest, source + weakest + 1, source + size);
    permanences.copyWithin(permanence + weakest, permanence + weakest + 1, permanence + size);
  }

  /** Merges `n` new sources into the `kept` synapses of a row, from the end, where there is room. */
  #merge(row: number, kept: number, added: Uint16Array, n: number): void {
    const { sources, sourceStride, permanences, headers, scale } = this.#rows;
    const source = row * sourceStride;
    const permanence = this.#permanencesOf(row);
    const index = this.#index[row >>> BANK_SHIFT];
    let from = kept - 1;
    let next = n - 1;
    for (let to = kept + n - 1; next >= 0; to--) {
      if (from >= 0 && sources[source + from] > added[next]) {
        sources[source + to] = sources[source + from];
        permanences[permanence + to] = permanences[permanence + from];
        from--;
      } else {
        sources[source + to] = added[next];
        permanences[permanence + to] = scale.initial;
        index.add(added[next], row & BANK_MASK);
        next--;
      }
    }
    if (scale.initial >= scale.connected) headers[row * HEADER_BYTES + CONNECTED_BYTE] += n;
  }

  #append(cell: number): number {
    const row = this.#rows.append(cell);
    this.#chain(row);
    return row;
  }

  #chain(row: number): void {
    const cell = this.#rows.cell(row);
    const column = cell >>> CELL_SHIFT;
    this.#rows.setLink(row, this.#newestRow[column]);
    this.#newestRow[column] = row + 1;
    this.#slots[cell]++;
  }

  /** The row of the slot of `cell` that was freed last, if it has one. */
  #takeReleased(cell: number): number | undefined {
    if (this.#emptyRows === 0) return undefined;
    const rows = this.#rows;
    let taken: number | undefined;
    let latest = 0;
    for (let link = this.#newestRow[cell >>> CELL_SHIFT]; link !== 0; link = rows.link(link - 1)) {
      const row = link - 1;
      if (rows.cell(row) !== cell || rows.size(row) > 0 || rows.releaseOrdinal(row) <= latest) continue;
      latest = rows.releaseOrdinal(row);
      taken = row;
    }
    if (taken !== undefined) this.#emptyRows--;
    return taken;
  }

  /**
   * Empties the slot of the column's segment of lowest duty cycle (the lowest cell and slot among equals) and returns
   * its cell. Where all slots were emptied before, which leaves the original without an answer, it is the lowest cell.
   */
  #releaseLeastUseful(column: number): number {
    const rows = this.#rows;
    let chosen = -1;
    let least = Infinity;
    for (let link = this.#newestRow[column]; link !== 0; link = rows.link(link - 1)) {
      const row = link - 1;
      if (rows.size(row) === 0) continue;
      const duty = rows.duty(row);
      // Rows of a cell come newest first here, so that among equals a later one is the one to prefer.
      if (duty < least || (duty === least && rows.cell(row) <= rows.cell(chosen))) {
        least = duty;
        chosen = row;
      }
    }
    if (chosen < 0) return (column << CELL_SHIFT) + 1;
    this.#release(chosen);
    return rows.cell(chosen);
  }

  #release(row: number): void {
    const { sources, sourceStride } = this.#rows;
    const source = row * sourceStride;
    const size = this.#rows.size(row);
    for (let i = 0; i < size; i++)
      this.#index[row >>> BANK_SHIFT].remove(sources[source + i], row & BANK_MASK);
    this.#rows.release(row);
    this.#synapseCount -= size;
    this.#emptyRows++;
  }

  /** Everything that follows from checked rows. */
  #derive(): void {
    const rows = this.#rows;
    for (let row = 0; row < rows.count; row++) {
      const cell = rows.cell(row);
      if (this.#slots[cell] === this.#p.maxSegmentsPerCell)
        throw new ArenaFormatError(`cell ${cell} has more than ${this.#p.maxSegmentsPerCell} segments`);
      this.#chain(row);
      if (rows.size(row) === 0) this.#emptyRows++;
      this.#synapseCount += rows.size(row);
    }
    for (let first = 0; first < rows.count; first += BANK_ROWS) {
      const end = Math.min(first + BANK_ROWS, rows.count);
      this.#index.push(ForwardIndex.of(this.#p.columnCount, rows, first, end));
    }
  }
}

/** Scratch: cells of a column that can take another segment; positions within a cell set, as bits. */
const cellsWithRoom = new Uint16Array(CELL_STRIDE);
const knownPositions = new Uint32Array(MAX_COLUMNS / 32);

// Of exported constants the compiler looks up the value at each use; these are part of the compiled code.
const BANK_MASK = bankMask;
const BANK_SHIFT = bankShift;
const CELL_SHIFT = cellShift;
