import { leastRecentlyUsed } from '../ceiling.ts';
import type { SegmentRows } from './segment-rows.ts';

/**
 * Removes `count` of `segmentCount` segments, those used longest ago and the first made among equals, and with them all
 * emptied rows.
 *
 * Used is a segment that had enough active synapses to predict, learned, or was made: whatever brings its duty cycle up
 * to date. (So do, for all segments, the eight iterations at which the averaging rate changes.) The duty cycle itself
 * would be the wrong measure: a new segment begins at 1 / iteration, below every older one that was never right again,
 * and so a full memory would forget what it learned last. docs/decisions/0006-growth-ceiling.md has the comparison.
 */
export function evictRows(rows: SegmentRows, segmentCount: number, count: number): void {
  leastRecentlyUsed.begin(segmentCount);
  for (let row = 0; row < rows.count; row++) if (rows.size(row) > 0) leastRecentlyUsed.add(rows.lastUse(row));
  leastRecentlyUsed.choose(count);
  for (let row = 0; row < rows.count; row++)
    if (rows.size(row) > 0 && leastRecentlyUsed.takes(rows.lastUse(row))) rows.release(row);
  rows.closeGaps();
}
