import { HtmEngineError } from '../errors.ts';
import { parseTime, parseValue, shown } from './cell-values.ts';

/** Positions of the two columns of a series. */
export interface Columns {
  readonly time: number;
  readonly value: number;
}

/** Columns asked for by name; the others are guessed. */
export interface ColumnNames {
  readonly timestamp?: string | undefined;
  readonly value?: string | undefined;
}

const TIME_NAME = /time|date|^(?:ts|t|when|epoch|at)$|_(?:ts|at)$/i;
const SHOWN_COLUMNS = 20;

/**
 * Finds the columns of time and value by their names and by what the first row holds. A column called `timestamp` or
 * `value` is taken before others.
 * @throws HtmEngineError `invalid_argument` naming the header, if a column is not there or there are several to choose from
 */
export function chooseColumns(
  header: readonly string[],
  firstRow: readonly string[],
  names: ColumnNames,
): Columns {
  const time = chooseTimeColumn(header, firstRow, names.timestamp);
  const cell = (column: number) => firstRow[column] ?? '';
  const all = header.map((_, column) => column);
  const isValue = (column: number) => column !== time && parseValue(cell(column)).number !== undefined;
  const value =
    names.value === undefined
      ? guess(header, 'value', 'number', '--value', all.filter(isValue))
      : findColumn(header, names.value, '--value');
  if (time === value) throw invalid(`time and value cannot both be in ${shown(header[time] ?? '')}`, header);
  return { time, value };
}

/**
 * Finds the column of the time, as `chooseColumns` does.
 * @throws HtmEngineError `invalid_argument` naming the header
 */
export function chooseTimeColumn(
  header: readonly string[],
  firstRow: readonly string[],
  name: string | undefined,
): number {
  checkHeader(header);
  if (name !== undefined) return findColumn(header, name, '--timestamp');
  const cell = (column: number) => firstRow[column] ?? '';
  const isTime = (column: number) =>
    parseTime(cell(column)).number !== undefined &&
    (TIME_NAME.test(header[column] ?? '') || parseValue(cell(column)).number === undefined);
  const candidates = header.map((_, column) => column).filter(isTime);
  return guess(header, 'timestamp', 'time', '--timestamp', candidates);
}

function checkHeader(header: readonly string[]): void {
  if (header.every((name) => parseTime(name).number !== undefined || parseValue(name).number !== undefined))
    throw invalid('the first line must name the columns, but holds numbers or times', header);
  if (header.length > 1) return;
  const separator = /[;\t|]/.exec(header[0] ?? '')?.[0];
  const hint = separator === undefined ? '' : `: separate them with commas, not with ${shown(separator)}`;
  throw invalid(`a series needs a column for the time and one for the value${hint}`, header);
}

/** The column of this name. @throws HtmEngineError `invalid_argument` naming the header and `option` */
export function findColumn(header: readonly string[], name: string, option: string): number {
  const column = positionOf(header, name);
  if (column < 0) throw invalid(`there is no column ${shown(name)} (${option})`, header);
  if (header.lastIndexOf(header[column] ?? '') !== column)
    throw invalid(`there are several columns ${shown(name)} (${option})`, header);
  return column;
}

function guess(
  header: readonly string[],
  usualName: string,
  kind: string,
  option: string,
  candidates: readonly number[],
): number {
  const usual = header.findIndex((name) => name.trim().toLowerCase() === usualName);
  if (usual >= 0) return usual;
  const [only, second] = candidates;
  if (only !== undefined && second === undefined) return only;
  throw invalid(
    only === undefined
      ? `no column seems to hold a ${kind}: name it with ${option}`
      : `${candidates.length} columns could hold the ${kind}: choose one with ${option}`,
    header,
  );
}

function positionOf(header: readonly string[], name: string): number {
  const exact = header.indexOf(name);
  return exact >= 0 ? exact : header.findIndex((known) => known.trim() === name.trim());
}

function invalid(what: string, header: readonly string[]): HtmEngineError {
  const more = header.length > SHOWN_COLUMNS ? `, and ${header.length - SHOWN_COLUMNS} more` : '';
  const names = header.slice(0, SHOWN_COLUMNS).map(shown).join(', ');
  return new HtmEngineError('invalid_argument', `${what}; the header is ${names}${more}`);
}
