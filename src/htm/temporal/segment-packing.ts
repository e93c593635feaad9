import { ArenaFormatError } from '../arena.ts';
import { PackedReader, PackedWriter } from '../packing.ts';
import { SEGMENT_COUNT, SLOTS, SYNAPSE_COUNT, SEGMENTS_USED, GRANULES_USED } from './segment-tables.ts';
import type { SegmentTables } from './segment-tables.ts';

/**
 * Segments in plain tables, by owner cell, then by age: without numbers, links and gaps, none of which ever decides
 * anything. So memories that went through the same records are equal in it, whether or not they were loaded in between.
 */
export interface PlainSegments {
  readonly owners: Uint16Array;
  /** As in `SegmentTables`. */
  readonly lastUsed: Uint32Array;
  /** Synapses of each. */
  readonly sizes: Uint16Array;
  /** Sources and permanences of all segments; within each in order of creation. */
  readonly sources: Uint16Array;
  readonly permanences: Float32Array;
}

/** The packed form of segments: their number and that of the synapses; then the tables. */
export function packSegments({ owners, lastUsed, sizes, sources, permanences }: PlainSegments): Uint8Array {
  const packed = new PackedWriter();
  packed.number(owners.length);
  packed.number(sources.length);
  for (const table of [owners, lastUsed, sizes, sources, permanences]) packed.array(table);
  return packed.finish();
}

/** @throws ArenaFormatError when `packed` are not the bytes of any segments. What the tables mean is left to be checked. */
export function unpackSegments(packed: Uint8Array): PlainSegments {
  const reader = new PackedReader(packed);
  const segments = reader.number();
  const synapses = reader.number();
  const owners = reader.u16(segments);
  const lastUsed = reader.u32(segments);
  const sizes = reader.u16(segments);
  const sources = reader.u16(synapses);
  const permanences = reader.f32(synapses);
  reader.end();
  const sum = sizes.reduce((before, size) => before + size, 0);
  if (sum !== synapses) throw new ArenaFormatError(`temporal memory: ${sum} synapses, not ${synapses}`);
  return { owners, lastUsed, sizes, sources, permanences };
}

/** Granules that the segments take. */
export function granulesOf({ sizes }: PlainSegments): number {
  return sizes.reduce((sum, size) => sum + Math.ceil(size / SLOTS), 0);
}

/** Writes segments to tables that are long enough and all 0: numbered in order, without gaps. */
export function fillTables(tables: SegmentTables, segments: PlainSegments): void {
  const { counters, firstLinks, living, nextLinks, order } = tables;
  const { owners, lastUsed, sizes, sources, permanences } = segments;
  tables.owners.set(owners);
  tables.lastUsed.set(lastUsed);
  tables.sizes.set(sizes);
  let granule = 0;
  let from = 0;
  for (let segment = 0; segment < sizes.length; segment++) {
    order[segment] = segment;
    firstLinks[segment] = granule + 1;
    for (const end = from + sizes[segment]; from < end; granule++) {
      const length = Math.min(end - from, SLOTS);
      tables.sources.set(sources.subarray(from, from + length), granule * SLOTS);
      tables.permanences.set(permanences.subarray(from, from + length), granule * SLOTS);
      living[granule] = 2 ** length - 1;
      from += length;
      nextLinks[granule] = from < end ? granule + 2 : 0;
    }
  }
  counters[SEGMENTS_USED] = sizes.length;
  counters[SEGMENT_COUNT] = sizes.length;
  counters[GRANULES_USED] = granule;
  counters[SYNAPSE_COUNT] = sources.length;
}

/** The segments in the tables. */
export function plainSegments(tables: SegmentTables): PlainSegments {
  const { counters, firstLinks, living, nextLinks } = tables;
  const order = tables.order.subarray(0, counters[SEGMENT_COUNT]);
  const sources = new Uint16Array(counters[SYNAPSE_COUNT]);
  const permanences = new Float32Array(counters[SYNAPSE_COUNT]);
  let to = 0;
  for (const segment of order) {
    for (let link = firstLinks[segment]; link !== 0; link = nextLinks[link - 1]) {
      for (let left = living[link - 1]; left !== 0; left &= left - 1) {
        const place = (link - 1) * SLOTS + 31 - Math.clz32(left & -left);
        sources[to] = tables.sources[place];
        permanences[to++] = tables.permanences[place];
      }
    }
  }
  return {
    owners: Uint16Array.from(order, (segment) => tables.owners[segment]),
    lastUsed: Uint32Array.from(order, (segment) => tables.lastUsed[segment]),
    sizes: Uint16Array.from(order, (segment) => tables.sizes[segment]),
    sources,
    permanences,
  };
}
