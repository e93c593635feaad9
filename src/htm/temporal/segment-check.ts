import { ArenaFormatError } from '../arena.ts';
import {
  FREE_GRANULE,
  FREE_SEGMENT,
  GRANULES_USED,
  SEGMENTS_USED,
  SEGMENT_COUNT,
  SLOTS,
  SYNAPSE_COUNT,
} from './segment-tables.ts';
import type { SegmentLimits, SegmentTables } from './segment-tables.ts';

/**
 * Refuses tables that a segment store could not have written, so that nothing later needs to doubt a number, a link
 * or a count in them. Takes time and memory in proportion to the tables.
 * @throws ArenaFormatError naming what is wrong.
 */
export function checkSegmentTables(tables: SegmentTables, limits: SegmentLimits): void {
  checkLengths(tables);
  const { counters, firstLinks, living, nextLinks, permanences, sizes } = tables;
  const seenSegments = new Uint8Array(counters[SEGMENTS_USED]);
  const seenGranules = new Uint8Array(counters[GRANULES_USED]);
  checkOrder(tables, limits, seenSegments);
  demand(checkSynapses(tables, limits, seenGranules) === counters[SYNAPSE_COUNT], 'number of synapses');
  demand(
    sizes.every((size, segment) => size === 0 || seenSegments[segment] === SEEN),
    'synapses of a free segment',
  );
  demand(
    firstLinks.subarray(counters[SEGMENTS_USED]).every((link) => link === 0),
    'synapses of a segment that was never used',
  );
  demand(
    living.every((slots, granule) => slots === 0 || seenGranules[granule] === SEEN),
    'synapses in a free granule',
  );
  demand(
    permanences.every((permanence) => permanence >= 0 && permanence <= 1),
    'a permanence outside 0..1',
  );
  checkFreeList(firstLinks, counters[FREE_SEGMENT], seenSegments);
  checkFreeList(nextLinks, counters[FREE_GRANULE], seenGranules);
}

function checkLengths(tables: SegmentTables): void {
  const { counters, living, nextLinks, owners, permanences, sources } = tables;
  const perSegment = [tables.sizes, tables.firstLinks, tables.lastUsed, tables.order];
  const places = nextLinks.length * SLOTS;
  const equal =
    perSegment.every((table) => table.length === owners.length) &&
    living.length === nextLinks.length &&
    sources.length === places &&
    permanences.length === places;
  demand(equal, 'tables of unequal length');
  const within = counters[SEGMENTS_USED] <= owners.length && counters[GRANULES_USED] <= nextLinks.length;
  demand(within && counters[SEGMENT_COUNT] <= counters[SEGMENTS_USED], 'counters beyond the tables');
}

/** The order must name each segment once, by owner, with no cell over its limit. */
function checkOrder(tables: SegmentTables, limits: SegmentLimits, seen: Uint8Array): void {
  const { counters, order, owners } = tables;
  for (let position = 0; position < counters[SEGMENT_COUNT]; position++) {
    const segment = order[position];
    demand(segment < seen.length && seen[segment] !== SEEN, `segment ${segment} in the order`);
    seen[segment] = SEEN;
    const owner = owners[segment];
    demand(isCell(owner, limits), `owner of segment ${segment}`);
    demand(position === 0 || owners[order[position - 1]] <= owner, 'order of the segments');
    const oneTooMany = order[position - limits.maxSegmentsPerCell];
    demand(position < limits.maxSegmentsPerCell || owners[oneTooMany] !== owner, `segments of cell ${owner}`);
  }
}

/** Every segment must have a chain of granules of its own, with as many synapses as it says, from different cells. */
function checkSynapses(tables: SegmentTables, limits: SegmentLimits, seen: Uint8Array): number {
  const { counters, firstLinks, living, nextLinks, order, sizes, sources } = tables;
  /** Per cell the last position in the order whose segment listens to it, plus 1. */
  const listeners = new Uint32Array(limits.columnCount << limits.cellShift);
  let total = 0;
  for (let position = 0; position < counters[SEGMENT_COUNT]; position++) {
    const segment = order[position];
    let synapses = 0;
    for (let link = firstLinks[segment]; link !== 0; link = nextLinks[link - 1]) {
      const granule = link - 1;
      demand(granule < seen.length && seen[granule] !== SEEN, `granules of segment ${segment}`);
      demand(living[granule] !== 0, `granules of segment ${segment}`);
      seen[granule] = SEEN;
      for (let left = living[granule]; left !== 0; left &= left - 1) {
        const source = sources[granule * SLOTS + 31 - Math.clz32(left & -left)];
        demand(isCell(source, limits), `a source of segment ${segment}`);
        demand(listeners[source] !== position + 1, `sources of segment ${segment}`);
        listeners[source] = position + 1;
        synapses++;
      }
    }
    demand(synapses === sizes[segment] && synapses > 0, `size of segment ${segment}`);
    demand(synapses <= limits.maxSynapsesPerSegment, `size of segment ${segment}`);
    total += synapses;
  }
  return total;
}

/** A free list must hold every number that is not seen, once. */
function checkFreeList(links: Uint32Array, head: number, seen: Uint8Array): void {
  let free = seen.reduce((count, mark) => (mark === SEEN ? count : count + 1), 0);
  for (let link = head; link !== 0; link = links[link - 1]) {
    demand(link <= seen.length && seen[link - 1] !== SEEN, 'a free list that is none');
    seen[link - 1] = SEEN;
    free--;
  }
  demand(free === 0, 'an incomplete free list');
}

function isCell(cell: number, { cellShift, cellsPerColumn, columnCount }: SegmentLimits): boolean {
  return cell >>> cellShift < columnCount && (cell & ((1 << cellShift) - 1)) < cellsPerColumn;
}

function demand(condition: boolean, what: string): void {
  if (!condition) throw new ArenaFormatError(`temporal memory: ${what}`);
}

const SEEN = 1;
