import { ArenaFormatError } from '../arena.ts';
import { PackedReader, PackedWriter } from '../packing.ts';
import { CELL_MASK, CELL_SHIFT, MAX_COLUMNS } from './parameters.ts';
import { Scratch } from '../scratch.ts';
import type { BacktrackingMemoryParameters } from './parameters.ts';

/** Segments in plain tables, one after the other, whatever their layout in memory is. */
export interface PlainSegments {
  /** Owner cells (column * 32 + cell). */
  readonly owners: Uint16Array;
  /** Duty cycle and the learning iteration for which it holds; of an emptied slot 0 and the ordinal of its release. */
  readonly duties: Float32Array;
  readonly dutyIterations: Uint32Array;
  /** Synapses of each; 0 for an emptied slot. */
  readonly sizes: Uint8Array;
  /** Source cells of all segments, ascending within each, and their permanences as they are stored. */
  readonly sources: Uint16Array;
  readonly permanences: Uint8Array | Float32Array;
}

/**
 * The packed form of segments: exact, and small because segments made in one record draw their sources from the same
 * cells. Segments are taken in groups of ascending owner columns, at most 32, which is what one record makes; a group
 * lists all its sources once, and for each of them which of the segments have it, a bit each.
 *
 * The bytes: number of synapses; duty cycles; their iterations; owners (difference of the columns modulo 2^16, low and
 * high bytes apart; then the cells); bytes that the lists take; per group the number of sources and their differences;
 * per source of each group the bits, in whole bytes; all permanences.
 */
export function packSegments(segments: PlainSegments): Uint8Array {
  const { owners, sizes, sources } = segments;
  listWriter.begin();
  maskWriter.begin();
  let from = 0;
  for (let first = 0; first < owners.length;) {
    const end = groupEnd(owners, first);
    for (let i = first; i < end; i++) {
      group.add(sources, from, sizes[i], 1 << (i - first));
      from += sizes[i];
    }
    group.write(listWriter, maskWriter, (end - first + 7) >>> 3);
    first = end;
  }
  const list = listWriter.finish();
  const masks = maskWriter.finish();
  const { permanences } = segments;
  const packed = new PackedWriter(
    11 * owners.length + list.length + masks.length + permanences.byteLength + MOST_NUMBER_BYTES,
  );
  packed.number(from);
  packed.array(segments.duties);
  packed.array(segments.dutyIterations);
  for (const plane of planesOf(owners)) packed.array(plane);
  packed.number(list.length);
  packed.array(list);
  packed.array(masks);
  packed.array(permanences);
  return packed.finish();
}

/**
 * Unpacks segments; to be used before the next call.
 * @param coded whether permanences are bytes.
 * @param sources gets the source cells: those of segment i from `i * stride` on.
 * @throws ArenaFormatError when `packed` are not the bytes of `count` segments with sources that a memory with these
 * parameters can have. What else is in the tables is left to be checked.
 */
export function unpackSegments(
  packed: Uint8Array,
  count: number,
  p: BacktrackingMemoryParameters,
  coded: boolean,
  sources: Uint16Array,
  stride: number,
): Omit<PlainSegments, 'sources'> {
  const reader = new PackedReader(packed);
  const synapses = reader.number();
  // Each takes a bit at least.
  if (synapses > 8 * packed.length)
    throw new ArenaFormatError(`${synapses} synapses in ${packed.length} bytes`);
  const duties = reader.f32(count);
  const dutyIterations = reader.u32(count);
  const owners = ownersIn(reader, count);
  const lists = new PackedReader(reader.u8(reader.number()));
  const sizes = sizesScratch.take(count);
  let spread = 0;
  for (let first = 0; first < count;) {
    const end = groupEnd(owners, first);
    group.read(lists, reader, end - first, p);
    spread += group.spread(sizes, first, end, sources, stride, p.maxSynapsesPerSegment);
    first = end;
  }
  lists.end();
  if (spread !== synapses) throw new ArenaFormatError(`${spread} synapses, not ${synapses}`);
  const permanences = coded ? reader.u8(synapses) : reader.f32(synapses);
  reader.end();
  return { owners, duties, dutyIterations, sizes, permanences };
}

/** The sources of a group, ascending, and for each which of the group's segments have it. */
class SourceGroup {
  readonly #cells = new Uint16Array(CELLS);
  readonly #masks = new Uint32Array(CELLS);
  /** The masks as they are written. */
  readonly #maskBytes = new Uint8Array(CELLS * 4);
  #count = 0;
  /** Per cell the segments added so far that have it; per column its cells and, as bits, which columns have any. */
  readonly #segmentsOf = new Uint32Array(CELLS);
  readonly #cellsOf = new Uint32Array(MAX_COLUMNS);
  readonly #columns = new Uint32Array(MAX_COLUMNS / 32);
  /** Where each segment's next source goes. */
  readonly #places = new Uint32Array(MAX_GROUP);

  /** Adds `size` sources from `from` on of the segment with the bit `segment`. */
  add(sources: Uint16Array, from: number, size: number, segment: number): void {
    const segmentsOf = this.#segmentsOf;
    const cellsOf = this.#cellsOf;
    const columns = this.#columns;
    for (let i = from; i < from + size; i++) {
      const cell = sources[i];
      const column = cell >>> CELL_SHIFT;
      segmentsOf[cell] |= segment;
      cellsOf[column] |= 1 << cell;
      columns[column >>> 5] |= 1 << column;
    }
  }

  /** Writes what was added, and begins anew. */
  write(lists: PackedWriter, masks: PackedWriter, maskBytes: number): void {
    this.#collect();
    const cells = this.#cells;
    const count = this.#count;
    lists.number(count);
    let previous = 0;
    for (let s = 0; s < count; s++) {
      lists.number(cells[s] - previous);
      previous = cells[s];
    }
    const bytes = this.#maskBytes;
    let written = 0;
    for (let s = 0; s < count; s++) {
      let mask = this.#masks[s];
      for (const end = written + maskBytes; written < end; mask >>>= 8) bytes[written++] = mask;
    }
    masks.array(bytes.subarray(0, written));
  }

  #collect(): void {
    const cellsOf = this.#cellsOf;
    const segmentsOf = this.#segmentsOf;
    const cells = this.#cells;
    const masks = this.#masks;
    let count = 0;
    for (let w = 0; w < this.#columns.length; w++) {
      for (let columns = this.#columns[w] | 0; columns !== 0; columns &= columns - 1) {
        const column = (w << 5) + 31 - Math.clz32(columns & -columns);
        for (let left = cellsOf[column] | 0; left !== 0; left &= left - 1) {
          const cell = (column << CELL_SHIFT) + 31 - Math.clz32(left & -left);
          cells[count] = cell;
          masks[count++] = segmentsOf[cell];
          segmentsOf[cell] = 0;
        }
        cellsOf[column] = 0;
      }
      this.#columns[w] = 0;
    }
    this.#count = count;
  }

  /** Reads a group of `segments`, whose sources must be cells that exist. */
  read(lists: PackedReader, masks: PackedReader, segments: number, p: BacktrackingMemoryParameters): void {
    this.#count = lists.number();
    if (this.#count > CELLS) throw new ArenaFormatError(`${this.#count} sources of a group`);
    const maskBytes = (segments + 7) >>> 3;
    const bytes = masks.u8(this.#count * maskBytes);
    let cell = -1;
    for (let s = 0; s < this.#count; s++) {
      const next = Math.max(cell, 0) + lists.number();
      if (next <= cell || next >>> CELL_SHIFT >= p.columnCount || (next & CELL_MASK) >= p.cellsPerColumn)
        throw new ArenaFormatError(`source ${next} of a group after ${cell}`);
      cell = next;
      let mask = 0;
      for (let b = 0; b < maskBytes; b++) mask |= bytes[s * maskBytes + b] << (8 * b);
      if (mask === 0 || (segments < 32 && mask >>> segments !== 0))
        throw new ArenaFormatError(`source ${cell} of a group belongs to segments ${mask >>> 0}`);
      this.#cells[s] = cell;
      this.#masks[s] = mask;
    }
  }

  /**
   * Writes the sources of the group's segments, `first` to `end`, to their places, `stride` apart, and how many they are to
   * `sizes`. @returns how many they are together
   */
  spread(
    sizes: Uint8Array,
    first: number,
    end: number,
    sources: Uint16Array,
    stride: number,
    maxSize: number,
  ): number {
    const count = this.#count;
    const masks = this.#masks;
    const cells = this.#cells;
    const places = this.#places;
    for (let i = first; i < end; i++) places[i - first] = i * stride;
    for (let s = 0; s < count; s++) {
      const cell = cells[s];
      // One with too many writes over the next one, and is refused below.
      for (let left = masks[s] | 0; left !== 0; left &= left - 1)
        sources[places[31 - Math.clz32(left & -left)]++] = cell;
    }
    let together = 0;
    for (let i = first; i < end; i++) {
      const size = places[i - first] - i * stride;
      if (size > maxSize)
        throw new ArenaFormatError(`a segment has ${size} synapses, at most ${maxSize} are possible`);
      sizes[i] = size;
      together += size;
    }
    return together;
  }
}

/** The end of the group that begins with segment `first`. */
function groupEnd(owners: Uint16Array, first: number): number {
  const most = Math.min(owners.length, first + MAX_GROUP);
  let end = first + 1;
  while (end < most && owners[end] >>> CELL_SHIFT > owners[end - 1] >>> CELL_SHIFT) end++;
  return end;
}

function planesOf(owners: Uint16Array): Uint8Array[] {
  const planes = [0, 1, 2].map(() => new Uint8Array(owners.length));
  let previous = 0;
  for (let i = 0; i < owners.length; i++) {
    const column = owners[i] >>> CELL_SHIFT;
    planes[0][i] = column - previous;
    planes[1][i] = (column - previous) >> 8;
    planes[2][i] = owners[i] & CELL_MASK;
    previous = column;
  }
  return planes;
}

function ownersIn(reader: PackedReader, count: number): Uint16Array {
  const [low, high, cells] = [reader.u8(count), reader.u8(count), reader.u8(count)];
  const owners = new Uint16Array(count);
  let column = 0;
  for (let i = 0; i < count; i++) {
    column = (column + low[i] + (high[i] << 8)) & 0xffff;
    if (column >= MAX_COLUMNS || cells[i] > CELL_MASK)
      throw new ArenaFormatError(`segment ${i} belongs to cell ${cells[i]} of column ${column}`);
    owners[i] = (column << CELL_SHIFT) + cells[i];
  }
  return owners;
}

const MAX_GROUP = 32;
const CELLS = MAX_COLUMNS << CELL_SHIFT;
/** Of the two numbers in front of tables. */
const MOST_NUMBER_BYTES = 10;

/** Empty between two calls. */
const group = new SourceGroup();
const listWriter = new PackedWriter();
const maskWriter = new PackedWriter();
const sizesScratch = new Scratch((length) => new Uint8Array(length));
