import { EngineClient } from '../../client/engine-client.ts';
import type { RowJson } from '../../client/types.ts';
import { selectMetrics, type SelectionOptions } from '../metrics/selection.ts';
import { scoreText, toneOf } from '../metrics/state.ts';
import { Output } from '../terminal/output.ts';
import { tableText, type TableColumn } from '../terminal/table.ts';
import { isoText, shortNumber, utcText } from '../terminal/text.ts';

/** Flags of `results`. */
export interface ResultsOptions extends SelectionOptions {
  readonly url: string;
  readonly token?: string;
  readonly json?: boolean;
  /** Only results at or above it, 0..1. */
  readonly minLikelihood?: number;
  /** Rows of each metric. */
  readonly last?: number;
}

/** Rows of one metric, and of each of several, unless told otherwise. */
const ROWS_OF_ONE = 10;
const ROWS_OF_EACH = 1;
const COLUMNS: readonly TableColumn[] = [
  { title: 'time (UTC)' },
  { title: 'metric' },
  { title: 'value', align: 'right' },
  { title: 'score', align: 'right' },
];

/** Shows the newest scored rows. */
export async function results(args: readonly string[], options: ResultsOptions): Promise<void> {
  const { minLikelihood = 0, json = false } = options;
  const client = new EngineClient(options.url, options);
  const metrics = (await selectMetrics(client, args, options)).filter(({ scoredRows }) => scoredRows > 0);
  const count = options.last ?? (metrics.length === 1 ? ROWS_OF_ONE : ROWS_OF_EACH);
  const output = Output.toStandardOutput();
  const rows: (RowJson & { name: string })[] = [];
  for (const { name } of metrics) {
    const newest = await client.lastRows(name, count);
    const wanted = newest.filter(
      ({ logLikelihood }) => logLikelihood !== null && logLikelihood >= minLikelihood,
    );
    rows.push(...wanted.map((row) => ({ name, ...row })));
  }
  if (json) {
    await output.write(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  } else if (rows.length === 0) {
    process.stderr.write('There are no such results.\n');
  } else {
    await output.write(tableText(COLUMNS, rows.map(tableRow), process.stdout));
  }
}

function tableRow({ name, timestamp, value, logLikelihood }: RowJson & { name: string }) {
  const forPeople = process.stdout.isTTY;
  const cells = forPeople
    ? [utcText(timestamp), name, shortNumber(value), scoreText(logLikelihood)]
    : [isoText(timestamp), name, String(value), String(logLikelihood)];
  return { cells, tone: toneOf(logLikelihood) };
}
