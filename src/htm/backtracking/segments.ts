import { ArenaFormatError } from '../arena.ts';
import type { Arena, ArenaPart, SectionSpec } from '../arena.ts';
import type { Random } from '../random.ts';
import { DUTY_TIERS, PLAIN_AVERAGE_UNTIL, dutyDecay, dutyRate } from './duty-cycle.ts';
import { BANK_ROWS, BANK_SHIFT, ForwardIndex } from './forward-index.ts';
import { CELL_SHIFT, CELL_STRIDE, MAX_COLUMNS, allCells } from './parameters.ts';
import type { BacktrackingMemoryParameters } from './parameters.ts';
import { permanenceScale } from './permanence.ts';
import type { PermanenceScale } from './permanence.ts';
import { indexesAtLeast, workspace } from './workspace.ts';
import type { CellSet } from './workspace.ts';

/**
 * The segments of a backtracking memory and all that changes them. Model reference, sections 4.1, 4.2 and 4.9.
 *
 * Each segment slot is one row: a header of 16 bytes in one table; its source cells (2 bytes each, ascending) and
 * their permanences in a second one, so that passes over headers stay within the cache. Both tables are one section
 * of the arena, which therefore moves once when they grow. A row belongs to one cell for good, and rows are only ever
 * appended, so among the rows of one cell the order of rows is the order of slots; slot numbers themselves are not
 * stored. A slot that was emptied keeps its row (with no synapses) and the ordinal of its release, which orders the
 * cell's stack of free slots.
 *
 * The count of positive activations matters only during the first 100 iterations, in which the duty cycle is that
 * count divided by the iteration of the last reading: it is recovered from there instead of being stored.
 */
export class Segments {
  /** How permanences are stored. */
  readonly scale: PermanenceScale;

  readonly #p: BacktrackingMemoryParameters;
  readonly #rowWords: number;
  /** The word of a column whose cells are all active. */
  readonly #allCells: number;
  readonly #part: ArenaPart;
  #counters!: Uint32Array;
  /** Rows there is room for. */
  #capacity = 0;
  /** The headers, seen as 32-bit words, as binary32, as 16-bit words and as bytes. */
  #words!: Uint32Array;
  #reals!: Float32Array;
  #halves!: Uint16Array;
  #bytes!: Uint8Array;
  /** The synapses: source cells, and permanences in the form of the scale. Rows are `stride` elements apart. */
  #sources!: Uint16Array;
  readonly #sourceStride: number;
  #permanences!: Uint8Array | Float32Array;
  readonly #permanenceStride: number;
  readonly #permanenceOffset: number;

  // Derived from the rows when they are attached:
  #emptyRows = 0;
  #synapseCount = 0;
  /** One index per bank of 65,536 rows. */
  readonly #index: ForwardIndex[] = [];
  /** Per column: 1 + its newest row; the header of each row leads on to the next older one. */
  readonly #newestRow: Uint32Array;
  /** Per cell: its slots, empty ones included. */
  readonly #slots: Uint8Array;

  private constructor(arena: Arena, section: number, p: BacktrackingMemoryParameters) {
    this.#p = p;
    this.scale = permanenceScale(p);
    const synapseWords = synapseRowWords(p, this.scale);
    const perWord = this.scale.coded ? 4 : 1;
    this.#allCells = allCells(p);
    this.#rowWords = HEADER_WORDS + synapseWords;
    this.#sourceStride = synapseWords * 2;
    this.#permanenceStride = synapseWords * perWord;
    this.#permanenceOffset = Math.ceil(p.maxSynapsesPerSegment / 2) * perWord;
    this.#newestRow = new Uint32Array(p.columnCount);
    this.#slots = new Uint8Array(p.columnCount * CELL_STRIDE);
    this.#part = arena.part(section, (part) => this.#lay(part));
  }

  static schema(p: BacktrackingMemoryParameters): SectionSpec[] {
    const rowWords = HEADER_WORDS + synapseRowWords(p, permanenceScale(p));
    return [
      { name: 'segmentCounters', type: 'u32', length: COUNTERS },
      { name: 'segments', type: 'u32', length: 0, maxLength: mostRows(p) * rowWords },
    ];
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
    segments.#checkAndDerive();
    return segments;
  }

  /** Learning computes so far. */
  get iteration(): number {
    return this.#counters[ITERATION];
  }

  /** Rows in use: living segments and empty slots. */
  get rowCount(): number {
    return this.#counters[ROWS];
  }

  get segmentCount(): number {
    return this.rowCount - this.#emptyRows;
  }

  get synapseCount(): number {
    return this.#synapseCount;
  }

  /** Bytes of derived state, held outside the arena. */
  get derivedBytes(): number {
    return (
      this.#newestRow.byteLength +
      this.#slots.byteLength +
      this.#index.reduce((bytes, index) => bytes + index.byteLength, 0)
    );
  }

  /** Starts a learning compute. When the averaging rate is about to change, all duty cycles are brought up to date. */
  beginIteration(): void {
    const iteration = ++this.#counters[ITERATION];
    if (!DUTY_TIERS.includes(iteration)) return;
    const rows = this.rowCount;
    for (let row = 0; row < rows; row++) {
      if (this.size(row) > 0) this.duty(row);
    }
  }

  /** The owner of a row (column * 32 + cell). */
  cell(row: number): number {
    return this.#halves[row * HEADER_HALVES + OWNER_HALF];
  }

  /** Synapses of a row; 0 for an empty slot. */
  size(row: number): number {
    return this.#bytes[row * HEADER_BYTES + SIZE_BYTE];
  }

  /**
   * Writes what is active on each segment to the workspace's counts: for the `n` columns, the cells of `words`.
   */
  countColumns(columns: Uint16Array, n: number, words: Uint32Array): void {
    this.#clearCounts();
    for (let bank = 0; bank < this.#index.length; bank++)
      this.#index[bank].countColumns(columns, n, words, this.#allCells, workspace.countsOfBank[bank]);
  }

  /** The same for a list of cells. */
  countCells(cells: Uint16Array, n: number): void {
    this.#clearCounts();
    for (let bank = 0; bank < this.#index.length; bank++)
      this.#index[bank].countCells(cells, n, workspace.countsOfBank[bank]);
  }

  /** Writes the rows counted at least `threshold` times to the workspace, ascending, and returns their number. */
  rowsAtLeast(threshold: number): number {
    return indexesAtLeast(
      workspace.countWords,
      this.rowCount,
      threshold,
      workspace.rows,
    );
  }

  /** Whether at least `threshold` connected synapses have a source in `words`. */
  predicts(row: number, words: Uint32Array, threshold: number): boolean {
    const header = row * HEADER_BYTES;
    if (this.#bytes[header + CONNECTED_BYTE] < threshold) return false;
    const source = row * this.#sourceStride;
    const end = source + this.#bytes[header + SIZE_BYTE];
    const permanence = row * this.#permanenceStride + this.#permanenceOffset - source;
    const sources = this.#sources;
    const permanences = this.#permanences;
    const { connected } = this.scale;
    let active = 0;
    for (let i = source; i < end; i++) {
      const cell = sources[i];
      const isActive = (words[cell >>> CELL_SHIFT] >>> cell) & 1;
      active += permanences[permanence + i] >= connected ? isActive : 0;
    }
    return active >= threshold;
  }

  /** Reads a segment's duty cycle, which brings the stored one up to date (4.2). */
  duty(row: number): number {
    const base = row * HEADER_WORDS;
    const iteration = this.#counters[ITERATION];
    const last = this.#words[base + DUTY_ITERATION_WORD];
    const old = this.#reals[base + DUTY_WORD];
    if (last === iteration) return old;
    const now =
      iteration <= PLAIN_AVERAGE_UNTIL
        ? Math.fround(Math.round(old * last) / iteration)
        : Math.fround(dutyDecay(iteration, iteration - last) * old);
    this.#words[base + DUTY_ITERATION_WORD] = iteration;
    this.#reals[base + DUTY_WORD] = now;
    return now;
  }

  /** Notes a positive activation in a segment's duty cycle. */
  #reward(row: number): void {
    const base = row * HEADER_WORDS;
    const iteration = this.#counters[ITERATION];
    if (iteration <= PLAIN_AVERAGE_UNTIL) {
      const positive = Math.round(this.#reals[base + DUTY_WORD] * this.#words[base + DUTY_ITERATION_WORD]);
      this.#reals[base + DUTY_WORD] = (positive + 1) / iteration;
      this.#words[base + DUTY_ITERATION_WORD] = iteration;
    } else {
      this.#reals[base + DUTY_WORD] = this.duty(row) + dutyRate(iteration);
    }
  }

  /** Makes room for `more` rows. Views of the arena move. */
  reserve(more: number): void {
    const needed = this.rowCount + more;
    if (needed > this.#capacity) this.#grow(needed);
    workspace.reserve(needed);
    while (this.#index.length * BANK_ROWS < needed) this.#index.push(new ForwardIndex(this.#p.columnCount));
  }

  /**
   * Chooses the cell of a column on which a new segment will be made (4.9.1): drawn among those with a free place;
   * if there is none, the least useful segment of the column makes way and no draw is consumed.
   */
  chooseCell(column: number, random: Random): number {
    const { cellsPerColumn, maxSegmentsPerCell } = this.#p;
    const firstCell = column << CELL_SHIFT;
    let free = 0;
    for (let cell = firstCell + 1; cell < firstCell + cellsPerColumn; cell++) {
      if (this.#slots[cell] < maxSegmentsPerCell) cellsWithRoom[free++] = cell;
    }
    return free > 0 ? cellsWithRoom[random.below(free)] : this.#releaseLeastUseful(column);
  }

  /** A new segment on `cell` with `n` sources (ascending); it takes the slot freed last, or a new one. `reserve` before. */
  create(cell: number, sources: Uint16Array, n: number): void {
    const row = this.#emptyRows > 0 ? this.#takeFreedRow(cell) : this.#appendRow(cell);
    const source = row * this.#sourceStride;
    const permanence = row * this.#permanenceStride + this.#permanenceOffset;
    const { initial, connected } = this.scale;
    const index = this.#index[row >>> BANK_SHIFT];
    for (let i = 0; i < n; i++) {
      this.#sources[source + i] = sources[i];
      this.#permanences[permanence + i] = initial;
      index.add(sources[i], row & BANK_MASK);
    }
    this.#synapseCount += n;
    this.#bytes[row * HEADER_BYTES + SIZE_BYTE] = n;
    this.#bytes[row * HEADER_BYTES + CONNECTED_BYTE] = initial >= connected ? n : 0;
    this.#reals[row * HEADER_WORDS + DUTY_WORD] = 1 / this.#counters[ITERATION];
    this.#words[row * HEADER_WORDS + DUTY_ITERATION_WORD] = this.#counters[ITERATION];
  }

  /**
   * Applies an update to a segment (4.9): synapses from `learning` cells are strengthened, the others weakened, and
   * `n` sources (ascending, none of them a source yet) added.
   */
  adapt(row: number, learning: CellSet, added: Uint16Array, n: number): void {
    this.#reward(row);
    const before = this.#bytes[row * HEADER_BYTES + SIZE_BYTE];
    const gone = this.#movePermanences(row, learning.words, before);
    let kept = gone > 0 ? this.#removeGone(row, before) : before;
    for (; kept + n > this.#p.maxSynapsesPerSegment; kept--) this.#removeWeakest(row, kept, learning.words);
    if (n > 0) this.#merge(row, kept, added, n);
    this.#synapseCount += kept + n - before;
    this.#bytes[row * HEADER_BYTES + SIZE_BYTE] = kept + n;
  }

  /** Strengthens and weakens the synapses of a row and returns how many of them fell to 0. */
  #movePermanences(row: number, learning: Uint32Array, size: number): number {
    const source = row * this.#sourceStride;
    const end = source + size;
    const permanence = row * this.#permanenceStride + this.#permanenceOffset - source;
    const sources = this.#sources;
    const permanences = this.#permanences;
    const { coded, moves, increment, decrement, limit, connected } = this.scale;
    let stillConnected = 0;
    let gone = 0;
    for (let i = source; i < end; i++) {
      const cell = sources[i];
      const isLearning = (learning[cell >>> CELL_SHIFT] >>> cell) & 1;
      const old = permanences[permanence + i];
      const now = coded
        ? moves[(isLearning << 8) | old]
        : isLearning === 1
          ? Math.min(Math.fround(old + increment), limit)
          : Math.max(Math.fround(old - decrement), 0);
      permanences[permanence + i] = now;
      stillConnected += now >= connected ? 1 : 0;
      if (now === 0) gone++;
    }
    this.#bytes[row * HEADER_BYTES + CONNECTED_BYTE] = stillConnected;
    return gone;
  }

  /** Removes the synapses of permanence 0 from a row and returns how many are left. */
  #removeGone(row: number, size: number): number {
    const source = row * this.#sourceStride;
    const permanence = row * this.#permanenceStride + this.#permanenceOffset;
    const index = this.#index[row >>> BANK_SHIFT];
    let kept = 0;
    for (let i = 0; i < size; i++) {
      const cell = this.#sources[source + i];
      const left = this.#permanences[permanence + i];
      if (left === 0) {
        index.remove(cell, row & BANK_MASK);
        continue;
      }
      this.#sources[source + kept] = cell;
      this.#permanences[permanence + kept] = left;
      kept++;
    }
    return kept;
  }

  /** Merges `n` new sources into the `kept` synapses of a row, from the end, where there is room. */
  #merge(row: number, kept: number, added: Uint16Array, n: number): void {
    const source = row * this.#sourceStride;
    const permanence = row * this.#permanenceStride + this.#permanenceOffset;
    const sources = this.#sources;
    const permanences = this.#permanences;
    const { initial, connected } = this.scale;
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
        permanences[permanence + to] = initial;
        index.add(added[next], row & BANK_MASK);
        next--;
      }
    }
    if (initial >= connected) this.#bytes[row * HEADER_BYTES + CONNECTED_BYTE] += n;
  }

  /** Writes the positions of those `learning` cells that are not yet sources of the segment to `out`, ascending. */
  positionsOfNew(row: number, learning: CellSet, out: Uint16Array): number {
    const { words, positions, length } = learning;
    const sources = this.#sources;
    const start = row * this.#sourceStride;
    const end = start + this.#bytes[row * HEADER_BYTES + SIZE_BYTE];
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
    for (let row = 0; row < this.rowCount; row++) {
      const size = this.size(row);
      if (size === 0) continue;
      const base = row * HEADER_WORDS;
      const source = row * this.#sourceStride;
      const permanence = row * this.#permanenceStride + this.#permanenceOffset;
      views.push({
        cell: this.cell(row),
        sources: Array.from(this.#sources.subarray(source, source + size)),
        permanences: Array.from(this.#permanences.subarray(permanence, permanence + size), (stored) =>
          this.scale.value(stored),
        ),
        duty: this.#reals[base + DUTY_WORD],
        dutyIteration: this.#words[base + DUTY_ITERATION_WORD],
      });
    }
    // The sort is stable: rows of one cell keep their order, which is that of its slots.
    return views.sort((a, b) => a.cell - b.cell);
  }

  #lay(part: ArenaPart): void {
    this.#counters = part.view(0);
    const section = part.view<Uint32Array>(ROWS_SECTION);
    this.#capacity = Math.floor(section.length / this.#rowWords);
    const { buffer, byteOffset } = section;
    const headerWords = this.#capacity * HEADER_WORDS;
    this.#words = new Uint32Array(buffer, byteOffset, headerWords);
    this.#reals = new Float32Array(buffer, byteOffset, headerWords);
    this.#halves = new Uint16Array(buffer, byteOffset, headerWords * 2);
    this.#bytes = new Uint8Array(buffer, byteOffset, headerWords * 4);
    const synapses = byteOffset + headerWords * 4;
    const synapseWords = section.length - headerWords;
    this.#sources = new Uint16Array(buffer, synapses, synapseWords * 2);
    this.#permanences = this.scale.coded
      ? new Uint8Array(buffer, synapses, synapseWords * 4)
      : new Float32Array(buffer, synapses, synapseWords);
  }

  #grow(needed: number): void {
    const before = this.#capacity;
    const capacity = Math.min(needed + Math.max(MIN_GROWTH_ROWS, needed >>> 3), mostRows(this.#p));
    this.#part.resize(ROWS_SECTION, capacity * this.#rowWords);
    // The headers now have more room: the synapses behind them move up.
    const section = this.#part.view<Uint32Array>(ROWS_SECTION);
    section.copyWithin(capacity * HEADER_WORDS, before * HEADER_WORDS, before * this.#rowWords);
    section.fill(0, before * HEADER_WORDS, capacity * HEADER_WORDS);
  }

  #clearCounts(): void {
    workspace.reserve(this.rowCount);
    // indexesAtLeast reads whole words.
    workspace.counts.fill(0, 0, (this.rowCount + 3) & ~3);
  }

  #olderRow(row: number): number {
    return this.#words[row * HEADER_WORDS + OLDER_ROW_WORD];
  }

  #appendRow(cell: number): number {
    const row = this.#counters[ROWS]++;
    this.#halves[row * HEADER_HALVES + OWNER_HALF] = cell;
    this.#chain(row, cell);
    return row;
  }

  #chain(row: number, cell: number): void {
    const column = cell >>> CELL_SHIFT;
    this.#words[row * HEADER_WORDS + OLDER_ROW_WORD] = this.#newestRow[column];
    this.#newestRow[column] = row + 1;
    this.#slots[cell]++;
  }

  /** The row of the slot of `cell` that was freed last; a new one if it has none. */
  #takeFreedRow(cell: number): number {
    let taken = -1;
    let latest = 0;
    for (let next = this.#newestRow[cell >>> CELL_SHIFT]; next !== 0; next = this.#olderRow(next - 1)) {
      const row = next - 1;
      if (this.cell(row) !== cell || this.size(row) > 0) continue;
      const released = this.#words[row * HEADER_WORDS + DUTY_ITERATION_WORD];
      if (released > latest) {
        latest = released;
        taken = row;
      }
    }
    if (taken < 0) return this.#appendRow(cell);
    this.#emptyRows--;
    return taken;
  }

  /**
   * Empties the slot of the column's segment of lowest duty cycle (the lowest cell and slot among equals) and returns
   * its cell. Where all slots were emptied before, which leaves the original without an answer, it is the lowest cell.
   */
  #releaseLeastUseful(column: number): number {
    let chosen = -1;
    let least = Infinity;
    for (let next = this.#newestRow[column]; next !== 0; next = this.#olderRow(next - 1)) {
      const row = next - 1;
      if (this.size(row) === 0) continue;
      const duty = this.duty(row);
      // Rows of a cell come newest first here, so that among equals a later one is the one to prefer.
      if (duty < least || (duty === least && this.cell(row) <= this.cell(chosen))) {
        least = duty;
        chosen = row;
      }
    }
    if (chosen < 0) return (column << CELL_SHIFT) + 1;
    this.#release(chosen);
    return this.cell(chosen);
  }

  #release(row: number): void {
    const source = row * this.#sourceStride;
    const size = this.size(row);
    const index = this.#index[row >>> BANK_SHIFT];
    for (let i = 0; i < size; i++) index.remove(this.#sources[source + i], row & BANK_MASK);
    this.#synapseCount -= size;
    this.#emptyRows++;
    this.#bytes[row * HEADER_BYTES + SIZE_BYTE] = 0;
    this.#bytes[row * HEADER_BYTES + CONNECTED_BYTE] = 0;
    this.#words[row * HEADER_WORDS + DUTY_ITERATION_WORD] = ++this.#counters[RELEASES];
  }

  /** Removes, of the `size` synapses of a row, the weakest that is not from a learning cell (the lowest source among equals). */
  #removeWeakest(row: number, size: number, learning: Uint32Array): void {
    const source = row * this.#sourceStride;
    const permanence = row * this.#permanenceStride + this.#permanenceOffset;
    const sources = this.#sources;
    const permanences = this.#permanences;
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
    if (least >= this.scale.connected) this.#bytes[row * HEADER_BYTES + CONNECTED_BYTE]--;
    this.#index[row >>> BANK_SHIFT].remove(sources[source + weakest], row & BANK_MASK);
    sources.copyWithin(source + weakest, source + weakest + 1, source + size);
    permanences.copyWithin(permanence + weakest, permanence + weakest + 1, permanence + size);
  }

  #checkAndDerive(): void {
    const { columnCount, cellsPerColumn, maxSegmentsPerCell } = this.#p;
    const rows = this.rowCount;
    const section = this.#part.view<Uint32Array>(ROWS_SECTION);
    if (rows > this.#capacity || section.length !== this.#capacity * this.#rowWords)
      throw new ArenaFormatError(`${rows} segments do not fit a section of ${section.length} words`);
    this.reserve(0);
    for (let row = 0; row < rows; row++) {
      const cell = this.cell(row);
      const column = cell >>> CELL_SHIFT;
      const inColumn = cell & CELL_MASK;
      if (column >= columnCount || inColumn === 0 || inColumn >= cellsPerColumn)
        throw new ArenaFormatError(`segment ${row} belongs to cell ${cell}, which cannot own one`);
      if (this.#slots[cell] === maxSegmentsPerCell)
        throw new ArenaFormatError(`cell ${cell} has more than ${maxSegmentsPerCell} segments`);
      this.#chain(row, cell);
      if (this.size(row) === 0) this.#checkEmptyRow(row);
      else this.#checkSegment(row);
    }
  }

  #checkEmptyRow(row: number): void {
    const released = this.#words[row * HEADER_WORDS + DUTY_ITERATION_WORD];
    if (released === 0 || released > this.#counters[RELEASES])
      throw new ArenaFormatError(`empty segment ${row} has release ${released}`);
    this.#emptyRows++;
  }

  #checkSegment(row: number): void {
    const { columnCount, cellsPerColumn, maxSynapsesPerSegment } = this.#p;
    const base = row * HEADER_WORDS;
    const size = this.size(row);
    if (size > maxSynapsesPerSegment) throw new ArenaFormatError(`segment ${row} has ${size} synapses`);
    const dutyIteration = this.#words[base + DUTY_ITERATION_WORD];
    const duty = this.#reals[base + DUTY_WORD];
    if (dutyIteration === 0 || dutyIteration > this.iteration || !(duty >= 0 && duty < Infinity))
      throw new ArenaFormatError(`segment ${row} has duty cycle ${duty} of iteration ${dutyIteration}`);
    const source = row * this.#sourceStride;
    const permanence = row * this.#permanenceStride + this.#permanenceOffset;
    const index = this.#index[row >>> BANK_SHIFT];
    let previous = -1;
    let connected = 0;
    for (let i = 0; i < size; i++) {
      const cell = this.#sources[source + i];
      if (cell <= previous || cell >>> CELL_SHIFT >= columnCount || (cell & CELL_MASK) >= cellsPerColumn)
        throw new ArenaFormatError(`segment ${row} has source ${cell} after ${previous}`);
      const stored = this.#permanences[permanence + i];
      if (!(stored > 0 && stored <= this.scale.most))
        throw new ArenaFormatError(`segment ${row} has permanence ${stored}`);
      if (stored >= this.scale.connected) connected++;
      index.add(cell, row & BANK_MASK);
      previous = cell;
    }
    if (connected !== this.#bytes[row * HEADER_BYTES + CONNECTED_BYTE])
      throw new ArenaFormatError(`segment ${row} has ${connected} connected synapses and says otherwise`);
    this.#synapseCount += size;
  }
}

/** One segment as plain values. */
export interface SegmentView {
  /** Owner and sources: column * 32 + cell. */
  readonly cell: number;
  readonly sources: readonly number[];
  /** Binary32 values. */
  readonly permanences: readonly number[];
  readonly duty: number;
  readonly dutyIteration: number;
}

/** 32-bit words of the synapses of a row. */
function synapseRowWords(p: BacktrackingMemoryParameters, scale: PermanenceScale): number {
  const most = p.maxSynapsesPerSegment;
  return Math.ceil(most / 2) + (scale.coded ? Math.ceil(most / 4) : most);
}

function mostRows(p: BacktrackingMemoryParameters): number {
  return p.columnCount * (p.cellsPerColumn - 1) * p.maxSegmentsPerCell;
}

// Header of a row: duty cycle (binary32), iteration it was read (or ordinal of the release of an empty slot),
// 1 + the next older row of the column, then owner cell (16 bits), synapses and connected synapses (a byte each).
const HEADER_WORDS = 4;
const HEADER_HALVES = HEADER_WORDS * 2;
const HEADER_BYTES = HEADER_WORDS * 4;
const DUTY_WORD = 0;
const DUTY_ITERATION_WORD = 1;
const OLDER_ROW_WORD = 2;
const OWNER_HALF = 6;
const SIZE_BYTE = 14;
const CONNECTED_BYTE = 15;

/** Scratch: positions within a cell set, as bits. */
const knownPositions = new Uint32Array(MAX_COLUMNS / 32);

const ITERATION = 0;
const ROWS = 1;
const RELEASES = 2;
const COUNTERS = 3;
const ROWS_SECTION = 1;

const CELL_MASK = CELL_STRIDE - 1;
const BANK_MASK = BANK_ROWS - 1;
const MIN_GROWTH_ROWS = 64;

const cellsWithRoom = new Uint16Array(CELL_STRIDE);
