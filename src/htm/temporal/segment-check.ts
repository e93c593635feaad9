import { ArenaFormatError } from '../arena.ts';
import type { PlainSegments } from './segment-packing.ts';
import type { SegmentLimits } from './segment-tables.ts';

/**
 * Refuses segments that no memory within these limits could have. Takes time and memory in proportion to them.
 * @throws ArenaFormatError naming what is wrong.
 */
export function checkSegments(segments: PlainSegments, limits: SegmentLimits): void {
  checkOwners(segments.owners, limits);
  checkSources(segments, limits);
  demand(
    segments.permanences.every((permanence) => permanence >= 0 && permanence <= 1),
    'a permanence outside 0..1',
  );
}

/** Segments must be ordered by owner, with no cell over its limit. */
function checkOwners(owners: Uint16Array, limits: SegmentLimits): void {
  for (let segment = 0; segment < owners.length; segment++) {
    const owner = owners[segment];
    demand(isCell(owner, limits), `owner ${owner} of segment ${segment}`);
    demand(segment === 0 || owners[segment - 1] <= owner, 'order of the segments');
    const isOneTooMany =
      segment >= limits.maxSegmentsPerCell && owners[segment - limits.maxSegmentsPerCell] === owner;
    demand(!isOneTooMany, `segments of cell ${owner}`);
  }
}

/** Every segment must have synapses, not too many, from different cells. */
function checkSources({ sizes, sources }: PlainSegments, limits: SegmentLimits): void {
  /** Per cell 1 + the last segment that listens to it. */
  const listeners = new Uint32Array(limits.columnCount << limits.cellShift);
  let from = 0;
  for (let segment = 0; segment < sizes.length; segment++) {
    const size = sizes[segment];
    demand(size > 0 && size <= limits.maxSynapsesPerSegment, `size ${size} of segment ${segment}`);
    for (const end = from + size; from < end; from++) {
      const source = sources[from];
      demand(isCell(source, limits) && listeners[source] !== segment + 1, `sources of segment ${segment}`);
      listeners[source] = segment + 1;
    }
  }
}

function isCell(cell: number, { cellShift, cellsPerColumn, columnCount }: SegmentLimits): boolean {
  return cell >>> cellShift < columnCount && (cell & ((1 << cellShift) - 1)) < cellsPerColumn;
}

function demand(condition: boolean, what: string): void {
  if (!condition) throw new ArenaFormatError(`temporal memory: ${what}`);
}
