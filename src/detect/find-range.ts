import type { BadRows } from '../csv/bad-rows.ts';
import type { ColumnNames } from '../csv/columns.ts';
import type { Source } from '../csv/source.ts';
import { HtmEngineError } from '../errors.ts';
import { estimateRange, type ValueRange } from '../generation.ts';
import { SeriesReader } from './series-reader.ts';

/**
 * A pass of its own: the range that a generation opened over all these rows would have.
 * @throws HtmEngineError `invalid_argument` naming the source
 */
export async function findRange(source: Source, names: ColumnNames, badRows: BadRows): Promise<ValueRange> {
  const reader = await SeriesReader.open(source, names);
  let lowest = Infinity;
  let highest = -Infinity;
  for await (const { value } of reader.rows(badRows)) {
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
  }
  if (lowest > highest) throw new HtmEngineError('invalid_argument', `${source.name}: all its rows are bad`);
  return estimateRange(lowest, highest);
}
