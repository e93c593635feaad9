import { ArenaFormatError } from '../arena.ts';
import type { Arena, ArenaPart, SectionSpec } from '../arena.ts';
import { DUTY_TIERS, PLAIN_AVERAGE_UNTIL, dutyDecay, dutyRate } from './duty-cycle.ts';
import { CELL_MASK as cellMask, CELL_SHIFT as cellShift } from './parameters.ts';
import type { BacktrackingMemoryParameters } from './parameters.ts';
import { permanenceScale } from './permanence.ts';
import type { PermanenceScale } from './permanence.ts';
import { packSegments, unpackSegments } from './segment-packing.ts';
import type { PlainSegments } from './segment-packing.ts';
import { Scratch } from '../scratch.ts';

/**
 * Where segments are stored: one row per segment slot, with its duty cycle. Model reference, sections 4.1 and 4.2.
 *
 * A row is a header of 16 bytes in one table, and source cells (2 bytes each, ascending) with their permanences in a
 * second one, so that passes over headers stay within the cache. Both tables are one section of the arena, which
 * therefore moves once when they grow. Rows are only ever appended and belong to one cell for good, so among the rows
 * of one cell the order of rows is the order of its slots; slot numbers themselves are not stored. An emptied slot
 * keeps its row, without synapses and with the ordinal of its release.
 *
 * The count of positive activations matters only during the first 100 iterations, in which the duty cycle is that
 * count divided by the iteration of the last reading: it is recovered from there instead of being stored.
 *
 * The views are open to the kernels of `Segments`; they change whenever the arena moves.
 */
export class SegmentRows {
  /** How permanences are stored. */
  readonly scale: PermanenceScale;
  /** Headers, as bytes; `SIZE_BYTE` and `CONNECTED_BYTE` of every `HEADER_BYTES` are a row's. */
  headers!: Uint8Array;
  /** Source cells; a row's begin at `row * sourceStride`. */
  sources!: Uint16Array;
  readonly sourceStride: number;
  /** Permanences in the form of the scale; a row's begin at `row * permanenceStride + permanenceOffset`. */
  permanences!: Uint8Array | Float32Array;
  readonly permanenceStride: number;
  readonly permanenceOffset: number;

  readonly #p: BacktrackingMemoryParameters;
  readonly #part: ArenaPart;
  readonly #rowWords: number;
  #capacity = 0;
  #counters!: Uint32Array;
  /** The headers as 32-bit words, binary32 and 16-bit words. */
  #words!: Uint32Array;
  #reals!: Float32Array;
  #halves!: Uint16Array;

  /** Over the sections from `section` on; those of a new arena are empty rows. */
  constructor(arena: Arena, section: number, p: BacktrackingMemoryParameters) {
    this.#p = p;
    this.scale = permanenceScale(p);
    const synapseWords = wordsOfSynapses(p, this.scale);
    const perWord = this.scale.coded ? 4 : 1;
    this.#rowWords = HEADER_WORDS + synapseWords;
    this.sourceStride = synapseWords * 2;
    this.permanenceStride = synapseWords * perWord;
    this.permanenceOffset = wordsOfSources(p) * perWord;
    this.#part = arena.part(
      section,
      (part) => this.#lay(part),
      () => new Map([[ROWS_SECTION, packSegments(this.#plain())]]),
    );
  }

  static schema(p: BacktrackingMemoryParameters): SectionSpec[] {
    const rowWords = HEADER_WORDS + wordsOfSynapses(p, permanenceScale(p));
    return [
      { name: 'segmentCounters', type: 'u32', length: COUNTERS },
      {
        name: 'segments',
        type: 'u32',
        length: 0,
        maxLength: mostRows(p) * rowWords,
        saved: 'packed',
        rows: { counter: 'segmentCounters', index: ROWS, elements: rowWords },
      },
    ];
  }

  /** Learning computes so far. */
  get iteration(): number {
    return this.#counters[ITERATION];
  }

  /** Rows in use: living segments and emptied slots. */
  get count(): number {
    return this.#counters[ROWS];
  }

  /** Starts a learning compute. When the averaging rate is about to change, all duty cycles are brought up to date. */
  beginIteration(): void {
    const iteration = ++this.#counters[ITERATION];
    if (!DUTY_TIERS.includes(iteration)) return;
    for (let row = 0; row < this.count; row++) {
      if (this.size(row) > 0) this.duty(row);
    }
  }

  /** Makes room for `more` rows, as far as the parameters allow so many. The arena may move. */
  reserve(more: number): void {
    const most = mostRows(this.#p);
    const needed = Math.min(this.count + more, most);
    const before = this.#capacity;
    if (needed <= before) return;
    const capacity = Math.min(needed + Math.max(MIN_GROWTH_ROWS, needed >>> 4), most);
    this.#part.resize([[ROWS_SECTION, capacity * this.#rowWords]]);
    // The headers now have more room: the synapses behind them move up.
    const section = this.#part.view<Uint32Array>(ROWS_SECTION);
    section.copyWithin(capacity * HEADER_WORDS, before * HEADER_WORDS, before * this.#rowWords);
    section.fill(0, before * HEADER_WORDS, capacity * HEADER_WORDS);
  }

  /** A new row that belongs to `cell` (column * 32 + cell); there must be room. */
  append(cell: number): number {
    const row = this.#counters[ROWS]++;
    this.#halves[row * HEADER_HALVES + OWNER_HALF] = cell;
    return row;
  }

  /** Empties a row. */
  release(row: number): void {
    this.headers[row * HEADER_BYTES + SIZE_BYTE] = 0;
    this.headers[row * HEADER_BYTES + CONNECTED_BYTE] = 0;
    this.#reals[row * HEADER_WORDS + DUTY_WORD] = 0;
    this.#words[row * HEADER_WORDS + DUTY_ITERATION_WORD] = ++this.#counters[RELEASES];
  }

  /** The iteration in which a segment's duty cycle was last brought up to date. */
  lastUse(row: number): number {
    return this.#words[row * HEADER_WORDS + DUTY_ITERATION_WORD];
  }

  /** Closes the gaps that emptied rows leave: the other rows move down and keep their order. */
  closeGaps(): void {
    const { count } = this;
    let kept = 0;
    let row = 0;
    while (row < count) {
      if (this.size(row) === 0) {
        row++;
        continue;
      }
      const start = row;
      while (row < count && this.size(row) > 0) row++;
      this.#moveRows(kept, start, row);
      kept += row - start;
    }
    this.#clearRows(kept, count);
    this.#counters[ROWS] = kept;
    // Ordinals only put emptied rows in order among each other, and none is left.
    this.#counters[RELEASES] = 0;
  }

  /** The ordinal of the release of an emptied row: the later, the higher. */
  releaseOrdinal(row: number): number {
    return this.#words[row * HEADER_WORDS + DUTY_ITERATION_WORD];
  }

  /** The owner of a row (column * 32 + cell). */
  cell(row: number): number {
    return this.#halves[row * HEADER_HALVES + OWNER_HALF];
  }

  /** Synapses of a row; 0 for an emptied slot. */
  size(row: number): number {
    return this.headers[row * HEADER_BYTES + SIZE_BYTE];
  }

  /** 1 + the row that was chained before this one, 0 for none; see `Segments`. */
  link(row: number): number {
    return this.#words[row * HEADER_WORDS + LINK_WORD];
  }

  setLink(row: number, link: number): void {
    this.#words[row * HEADER_WORDS + LINK_WORD] = link;
  }

  /** Reads a segment's duty cycle, which brings the stored one up to date. */
  duty(row: number): number {
    const header = row * HEADER_WORDS;
    const iteration = this.#counters[ITERATION];
    const last = this.#words[header + DUTY_ITERATION_WORD];
    const old = this.#reals[header + DUTY_WORD];
    if (last === iteration) return old;
    const now =
      iteration <= PLAIN_AVERAGE_UNTIL
        ? Math.fround(Math.round(old * last) / iteration)
        : Math.fround(dutyDecay(iteration, iteration - last) * old);
    this.#words[header + DUTY_ITERATION_WORD] = iteration;
    this.#reals[header + DUTY_WORD] = now;
    return now;
  }

  /** Notes a positive activation in a segment's duty cycle. */
  reward(row: number): void {
    const header = row * HEADER_WORDS;
    const iteration = this.#counters[ITERATION];
    if (iteration > PLAIN_AVERAGE_UNTIL) {
      this.#reals[header + DUTY_WORD] = this.duty(row) + dutyRate(iteration);
      return;
    }
    const positive = Math.round(this.#reals[header + DUTY_WORD] * this.#words[header + DUTY_ITERATION_WORD]);
    this.#reals[header + DUTY_WORD] = (positive + 1) / iteration;
    this.#words[header + DUTY_ITERATION_WORD] = iteration;
  }

  /** The duty cycle of a segment that was just made: one positive activation. */
  startDuty(row: number): void {
    this.#reals[row * HEADER_WORDS + DUTY_WORD] = 1 / this.#counters[ITERATION];
    this.#words[row * HEADER_WORDS + DUTY_ITERATION_WORD] = this.#counters[ITERATION];
  }

  /** A segment as plain values. */
  view(row: number): SegmentView {
    const source = row * this.sourceStride;
    const permanence = row * this.permanenceStride + this.permanenceOffset;
    const size = this.size(row);
    return {
      cell: this.cell(row),
      sources: Array.from(this.sources.subarray(source, source + size)),
      permanences: Array.from(this.permanences.subarray(permanence, permanence + size), (stored) =>
        this.scale.value(stored),
      ),
      duty: this.#reals[row * HEADER_WORDS + DUTY_WORD],
      dutyIteration: this.#words[row * HEADER_WORDS + DUTY_ITERATION_WORD],
    };
  }

  /**
   * Fills the rows of a loaded arena.
   * @throws ArenaFormatError when a row could not have come from these parameters.
   */
  unpack(): void {
    const { count } = this;
    if (count > mostRows(this.#p)) throw new ArenaFormatError(`${count} segments`);
    const packed = this.#part.packed(ROWS_SECTION);
    if (count > packed.length) throw new ArenaFormatError(`${count} segments in ${packed.length} bytes`);
    this.#part.resize([[ROWS_SECTION, count * this.#rowWords]]);
    const { coded } = this.scale;
    this.#fill(unpackSegments(packed, count, this.#p, coded, this.sources, this.sourceStride));
    this.#check();
  }

  /** The rows in use as plain tables, to be packed at once. */
  #plain(): PlainSegments {
    const { count, sources, permanences } = this;
    const owners = ownersScratch.take(count);
    const duties = dutiesScratch.take(count);
    const dutyIterations = iterationsScratch.take(count);
    const sizes = sizesScratch.take(count);
    let synapses = 0;
    for (let row = 0; row < count; row++) {
      owners[row] = this.cell(row);
      duties[row] = this.#reals[row * HEADER_WORDS + DUTY_WORD];
      dutyIterations[row] = this.#words[row * HEADER_WORDS + DUTY_ITERATION_WORD];
      sizes[row] = this.size(row);
      synapses += sizes[row];
    }
    const allSources = sourcesScratch.take(synapses);
    const allPermanences = (this.scale.coded ? codesScratch : realsScratch).take(synapses);
    let to = 0;
    for (let row = 0; row < count; row++) {
      const source = row * this.sourceStride - to;
      const permanence = row * this.permanenceStride + this.permanenceOffset - to;
      for (const end = to + sizes[row]; to < end; to++) {
        allSources[to] = sources[source + to];
        allPermanences[to] = permanences[permanence + to];
      }
    }
    return { owners, duties, dutyIterations, sizes, sources: allSources, permanences: allPermanences };
  }

  /** Fills the rows but for their sources. */
  #fill({ owners, duties, dutyIterations, sizes, permanences }: Omit<PlainSegments, 'sources'>): void {
    const { headers } = this;
    const rowPermanences = this.permanences;
    const { connected: limit, most } = this.scale;
    let from = 0;
    for (let row = 0; row < owners.length; row++) {
      this.#halves[row * HEADER_HALVES + OWNER_HALF] = owners[row];
      this.#reals[row * HEADER_WORDS + DUTY_WORD] = duties[row];
      this.#words[row * HEADER_WORDS + DUTY_ITERATION_WORD] = dutyIterations[row];
      headers[row * HEADER_BYTES + SIZE_BYTE] = sizes[row];
      const permanence = row * this.permanenceStride + this.permanenceOffset - from;
      let connected = 0;
      for (const end = from + sizes[row]; from < end; from++) {
        const stored = permanences[from];
        if (!(stored > 0 && stored <= most))
          throw new ArenaFormatError(`segment ${row} has permanence ${stored}`);
        rowPermanences[permanence + from] = stored;
        connected += stored >= limit ? 1 : 0;
      }
      headers[row * HEADER_BYTES + CONNECTED_BYTE] = connected;
    }
  }

  #check(): void {
    for (let row = 0; row < this.count; row++) {
      const cell = this.cell(row);
      if ((cell & CELL_MASK) === 0 || !this.#exists(cell))
        throw new ArenaFormatError(`segment ${row} belongs to cell ${cell}, which cannot own one`);
      if (this.size(row) === 0) this.#checkReleased(row);
      else this.#checkSegment(row);
    }
  }

  #checkReleased(row: number): void {
    const ordinal = this.releaseOrdinal(row);
    if (ordinal === 0 || ordinal > this.#counters[RELEASES])
      throw new ArenaFormatError(`the empty segment ${row} has release ${ordinal}`);
  }

  #checkSegment(row: number): void {
    const last = this.#words[row * HEADER_WORDS + DUTY_ITERATION_WORD];
    const duty = this.#reals[row * HEADER_WORDS + DUTY_WORD];
    if (last === 0 || last > this.iteration || !(duty >= 0 && duty < Infinity))
      throw new ArenaFormatError(`segment ${row} has duty cycle ${duty} of iteration ${last}`);
  }

  #moveRows(to: number, start: number, end: number): void {
    const section = this.#part.view<Uint32Array>(ROWS_SECTION);
    const stride = this.#rowWords - HEADER_WORDS;
    const synapses = this.#capacity * HEADER_WORDS;
    section.copyWithin(to * HEADER_WORDS, start * HEADER_WORDS, end * HEADER_WORDS);
    section.copyWithin(synapses + to * stride, synapses + start * stride, synapses + end * stride);
  }

  /** Rows that are not in use are zeroed. */
  #clearRows(start: number, end: number): void {
    const section = this.#part.view<Uint32Array>(ROWS_SECTION);
    const stride = this.#rowWords - HEADER_WORDS;
    const synapses = this.#capacity * HEADER_WORDS;
    section.fill(0, start * HEADER_WORDS, end * HEADER_WORDS);
    section.fill(0, synapses + start * stride, synapses + end * stride);
  }

  #exists(cell: number): boolean {
    return cell >>> CELL_SHIFT < this.#p.columnCount && (cell & CELL_MASK) < this.#p.cellsPerColumn;
  }

  #lay(part: ArenaPart): void {
    this.#counters = part.view(0);
    const section = part.view<Uint32Array>(ROWS_SECTION);
    const { buffer, byteOffset } = section;
    this.#capacity = Math.floor(section.length / this.#rowWords);
    const headerWords = this.#capacity * HEADER_WORDS;
    this.#words = new Uint32Array(buffer, byteOffset, headerWords);
    this.#reals = new Float32Array(buffer, byteOffset, headerWords);
    this.#halves = new Uint16Array(buffer, byteOffset, headerWords * 2);
    this.headers = new Uint8Array(buffer, byteOffset, headerWords * 4);
    const synapses = byteOffset + headerWords * 4;
    const synapseWords = section.length - headerWords;
    this.sources = new Uint16Array(buffer, synapses, synapseWords * 2);
    this.permanences = this.scale.coded
      ? new Uint8Array(buffer, synapses, synapseWords * 4)
      : new Float32Array(buffer, synapses, synapseWords);
  }
}

/** One segment as plain values. */
export interface SegmentView {
  /** Owner and sources. */
  readonly cell: number;
  readonly sources: readonly number[];
  /** Binary32 values. */
  readonly permanences: readonly number[];
  readonly duty: number;
  /** The learning iteration for which `duty` holds. */
  readonly dutyIteration: number;
}

/** Bytes of a row's header, and where in it the counts of synapses and of connected synapses are. */
export const HEADER_BYTES = 16;
export const SIZE_BYTE = 14;
export const CONNECTED_BYTE = 15;

const HEADER_WORDS = HEADER_BYTES / 4;
const HEADER_HALVES = HEADER_BYTES / 2;
const DUTY_WORD = 0;
const DUTY_ITERATION_WORD = 1;
const LINK_WORD = 2;
const OWNER_HALF = 6;

const ownersScratch = new Scratch((length) => new Uint16Array(length));
const dutiesScratch = new Scratch((length) => new Float32Array(length));
const iterationsScratch = new Scratch((length) => new Uint32Array(length));
const sizesScratch = new Scratch((length) => new Uint8Array(length));
const sourcesScratch = new Scratch((length) => new Uint16Array(length));
const codesScratch = new Scratch((length) => new Uint8Array(length));
const realsScratch = new Scratch((length) => new Float32Array(length));

const ITERATION = 0;
const ROWS = 1;
const RELEASES = 2;
const COUNTERS = 3;
const ROWS_SECTION = 1;
const MIN_GROWTH_ROWS = 64;

function wordsOfSources(p: BacktrackingMemoryParameters): number {
  return Math.ceil(p.maxSynapsesPerSegment / 2);
}

function wordsOfSynapses(p: BacktrackingMemoryParameters, scale: PermanenceScale): number {
  const permanences = p.maxSynapsesPerSegment;
  return wordsOfSources(p) + (scale.coded ? Math.ceil(permanences / 4) : permanences);
}

function mostRows(p: BacktrackingMemoryParameters): number {
  return p.columnCount * (p.cellsPerColumn - 1) * p.maxSegmentsPerCell;
}

// Of exported constants the compiler looks up the value at each use; these are part of the compiled code.
const CELL_MASK = cellMask;
const CELL_SHIFT = cellShift;
