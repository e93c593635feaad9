import type { ArenaPart, SectionSpec } from '../arena.ts';

/** What a segment store must know of the memory it serves. Permanences are binary32 values. */
export interface SegmentLimits {
  readonly columnCount: number;
  readonly cellsPerColumn: number;
  /** Cell `i` of column `c` is numbered `(c << cellShift) + i`; numbers stay below 65,536. */
  readonly cellShift: number;
  readonly maxSegmentsPerCell: number;
  /** 1 .. 32,767. */
  readonly maxSynapsesPerSegment: number;
  /** A synapse is connected from this permanence on. */
  readonly connectedPermanence: number;
}

/**
 * The segments and synapses of a plain temporal memory as they lie in its model's arena; see `SegmentStore` and
 * `SynapseChains` for what they mean. A link is a number plus 1, or 0 for none.
 */
export interface SegmentTables {
  /** Words: see the constants below. */
  readonly counters: Uint32Array;
  /** Owner cell per segment number. */
  readonly owners: Uint16Array;
  /** Synapses per segment number; 0 marks a number that is free, or destroyed and not yet settled. */
  readonly sizes: Uint16Array;
  /** Link to the first granule per segment number; of a free number, link to the next free one. */
  readonly firstLinks: Uint32Array;
  /** Per segment number the count of records learned when it was last active, or created. */
  readonly lastUsed: Uint32Array;
  /** The settled segments' numbers, by owner cell, then by age. */
  readonly order: Uint32Array;
  /** Link to the granule that follows in its chain; of a free granule, to the next free one. */
  readonly nextLinks: Uint32Array;
  /** Per granule the slots that hold a synapse, a bit each. */
  readonly living: Uint16Array;
  /** Source cell per place; a place is `granule * SLOTS + slot`. */
  readonly sources: Uint16Array;
  readonly permanences: Float32Array;
}

/** The sections of the tables, in order. */
export function segmentSchema(limits: SegmentLimits): SectionSpec[] {
  const saved = 'elsewhere' as const;
  const segments = { length: INITIAL_SEGMENTS, maxLength: maxSegmentNumbers(limits), saved };
  const granules = { length: INITIAL_GRANULES, maxLength: MAX_GRANULES, saved };
  const places = { length: INITIAL_GRANULES * SLOTS, maxLength: MAX_GRANULES * SLOTS, saved };
  return [
    { name: 'segmentCounters', type: 'u32', length: COUNTERS, saved: 'packed' },
    { name: 'segmentOwners', type: 'u16', ...segments },
    { name: 'segmentSizes', type: 'u16', ...segments },
    { name: 'segmentGranules', type: 'u32', ...segments },
    { name: 'segmentLastUsed', type: 'u32', ...segments },
    { name: 'segmentOrder', type: 'u32', ...segments },
    { name: 'granuleNext', type: 'u32', ...granules },
    { name: 'granuleLiving', type: 'u16', ...granules },
    { name: 'synapseSources', type: 'u16', ...places },
    { name: 'synapsePermanences', type: 'f32', ...places },
  ];
}

/** The lengths of all sections with an element per segment number. */
export function segmentLengths(segments: number): [section: number, length: number][] {
  return [1, 2, 3, 4, 5].map((section) => [section, segments]);
}

/** The lengths of all sections with an element per granule or place. */
export function granuleLengths(granules: number): [section: number, length: number][] {
  return [
    [6, granules],
    [7, granules],
    [8, granules * SLOTS],
    [9, granules * SLOTS],
  ];
}

/** The tables as views over `part`. */
export function segmentTables(part: ArenaPart): SegmentTables {
  return {
    counters: part.view(0),
    owners: part.view(1),
    sizes: part.view(2),
    firstLinks: part.view(3),
    lastUsed: part.view(4),
    order: part.view(5),
    nextLinks: part.view(6),
    living: part.view(7),
    sources: part.view(8),
    permanences: part.view(9),
  };
}

/** Most segment numbers: full cells, and one more per column until those destroyed in the same record are free. */
export function maxSegmentNumbers(limits: SegmentLimits): number {
  const cells = limits.columnCount << limits.cellShift;
  const numbers = cells * limits.maxSegmentsPerCell + limits.columnCount;
  return Math.min(Math.max(INITIAL_SEGMENTS, numbers), MAX_SEGMENTS);
}

/** The next capacity of a table that is full: a quarter more. */
export function grownLength(length: number): number {
  return length + Math.max(8, length >>> 2);
}

/** Slots of a granule: one cache line of permanences, half a line of sources. */
export const SLOT_BITS = 4;
export const SLOTS = 1 << SLOT_BITS;
/** A place stays below 2^27. */
export const MAX_GRANULES = 2 ** 23;
const MAX_SEGMENTS = 2 ** 24;
const INITIAL_SEGMENTS = 64;
const INITIAL_GRANULES = 64;

/** Words of the counters: numbers ever taken, link to the first free one, settled segments, living synapses. */
export const SEGMENTS_USED = 0;
export const FREE_SEGMENT = 1;
export const GRANULES_USED = 2;
export const FREE_GRANULE = 3;
export const SEGMENT_COUNT = 4;
export const SYNAPSE_COUNT = 5;
const COUNTERS = 6;
