import { basename, extname } from 'node:path';
import { HtmEngineError } from '../../errors.ts';
import { checkName } from '../../metric.ts';
import type { SampleJson } from '../../client/types.ts';
import { parseTime, parseValue, shown } from '../../csv/cell-values.ts';
import { chooseColumns, chooseTimeColumn, findColumn } from '../../csv/columns.ts';
import { UsageError } from '../usage-error.ts';

/** How a file is to be understood; what is left out is guessed. */
export interface LayoutOptions {
  /** Column of the time. */
  readonly timestamp?: string;
  /** Column of the values. */
  readonly value?: string;
  /** Column that names each row's metric. */
  readonly metric?: string;
  /** Every column but the time's is a metric. */
  readonly wide?: boolean;
  /** Name of the only metric in the file. */
  readonly name?: string;
  /** Put before every metric's name. */
  readonly prefix?: string;
}

export type RowSamples =
  | { readonly samples: readonly (SampleJson & { timestamp: number })[]; readonly wrong?: undefined }
  | { readonly wrong: string; readonly samples?: undefined };

/** What a file's columns mean. */
export interface Layout {
  /** For the user: which column is what. */
  readonly description: string;
  /** The samples of a row with as many fields as the header has. */
  readonly read: (fields: readonly string[]) => RowSamples;
}

const METRIC_COLUMN = 'metric';

/**
 * Decides which column is what.
 * @param file names the only metric where nothing else does.
 * @throws HtmEngineError `invalid_argument`; UsageError
 */
export function chooseLayout(
  header: readonly string[],
  firstRow: readonly string[],
  file: string,
  options: LayoutOptions,
): Layout {
  const { metric, wide = false, name, value } = options;
  if ([metric !== undefined, wide, name !== undefined].filter(Boolean).length > 1)
    throw new UsageError('give one of --metric, --name and --wide: they are three kinds of files');
  if (wide && value !== undefined)
    throw new UsageError('--value makes no sense with --wide: every column is one');
  if (wide) return wideLayout(header, firstRow, options);
  const known =
    name === undefined ? header.find((title) => title.trim().toLowerCase() === METRIC_COLUMN) : undefined;
  const metricColumn = metric ?? known;
  if (metricColumn !== undefined) return longLayout(header, firstRow, metricColumn, options);
  return singleLayout(header, firstRow, name ?? nameOf(file), options);
}

function singleLayout(
  header: readonly string[],
  firstRow: readonly string[],
  givenName: string,
  options: LayoutOptions,
): Layout {
  const columns = chosen(header, firstRow, options);
  const name = (options.prefix ?? '') + givenName;
  if (checkName(name) !== null)
    throw new UsageError(`${shown(name)} is not the name of a metric: give --name`);
  return {
    description: `${shown(header[columns.value] ?? '')} over ${shown(header[columns.time] ?? '')} is metric ${shown(name)}`,
    read: (fields) => readCells(fields, columns.time, [{ name, column: columns.value }], false),
  };
}

function longLayout(
  header: readonly string[],
  firstRow: readonly string[],
  metric: string,
  options: LayoutOptions,
): Layout {
  const metricColumn = findColumn(header, metric, '--metric');
  const columns = chosen(header, firstRow, options);
  const prefix = options.prefix ?? '';
  return {
    description: `${shown(header[columns.value] ?? '')} over ${shown(header[columns.time] ?? '')}, metrics named by ${shown(header[metricColumn] ?? '')}`,
    read: (fields) => {
      const name = prefix + (fields[metricColumn] ?? '').trim();
      if (checkName(name) !== null) return { wrong: `${shown(name)} is not the name of a metric` };
      return readCells(fields, columns.time, [{ name, column: columns.value }], false);
    },
  };
}

function wideLayout(header: readonly string[], firstRow: readonly string[], options: LayoutOptions): Layout {
  const time = chooseTimeColumn(header, firstRow, options.timestamp);
  const columns = header.flatMap((title, column) =>
    column === time ? [] : [{ name: (options.prefix ?? '') + title.trim(), column }],
  );
  const bad = columns.find(({ name }) => checkName(name) !== null);
  if (bad !== undefined)
    throw new HtmEngineError(
      'invalid_argument',
      `column ${bad.column + 1}, ${shown(bad.name)}, cannot name a metric`,
    );
  const names = new Set(columns.map(({ name }) => name));
  if (names.size < columns.length)
    throw new HtmEngineError(
      'invalid_argument',
      'several columns have the same name: each must name a metric of its own',
    );
  return {
    description: `${columns.length} columns over ${shown(header[time] ?? '')}, each a metric`,
    read: (fields) => readCells(fields, time, columns, true),
  };
}

/** @param blanks whether an empty cell is no value, instead of a wrong one. */
function readCells(
  fields: readonly string[],
  timeColumn: number,
  columns: readonly { readonly name: string; readonly column: number }[],
  blanks: boolean,
): RowSamples {
  const time = parseTime(fields[timeColumn] ?? '');
  if (time.wrong !== undefined) return { wrong: time.wrong };
  const samples: (SampleJson & { timestamp: number })[] = [];
  for (const { name, column } of columns) {
    const cell = fields[column] ?? '';
    if (blanks && cell.trim() === '') continue;
    const value = parseValue(cell);
    if (value.wrong !== undefined)
      return { wrong: columns.length > 1 ? `${shown(name)}: ${value.wrong}` : value.wrong };
    samples.push({ name, value: value.number, timestamp: time.number });
  }
  return { samples };
}

/** The guess, with a way out that only an import has. */
function chosen(header: readonly string[], firstRow: readonly string[], options: LayoutOptions) {
  try {
    return chooseColumns(header, firstRow, options);
  } catch (error) {
    if (!(error instanceof HtmEngineError) || !error.message.includes('choose one with --value')) throw error;
    throw new HtmEngineError(
      error.code,
      error.message.replace(
        'choose one with --value',
        'choose one with --value, or take all as metrics with --wide',
      ),
    );
  }
}

function nameOf(file: string): string {
  if (file === '-')
    throw new UsageError('values from standard input need a name: give --name, --metric or --wide');
  return basename(file, extname(file));
}
