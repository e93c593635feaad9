import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Something is wrong with what the user gave: shown without a stack. */
export class BenchInputError extends Error {
  override readonly name = 'BenchInputError';
}

/** One series of the benchmark. */
export interface Series {
  /** `category/file.csv`. */
  readonly name: string;
  /** As in the file: naive times. */
  readonly timestamps: readonly string[];
  /** The times taken as UTC, in seconds. */
  readonly seconds: Float64Array;
  readonly values: Float64Array;
}

/** First and last moment of a labelled anomaly, in seconds; both belong to it. */
export interface Window {
  readonly start: number;
  readonly end: number;
}

/** Names (`category/file.csv`) of all series of a corpus, sorted. */
export function listSeries(corpus: string): string[] {
  const data = join(corpus, 'data');
  if (!existsSync(data))
    throw new BenchInputError(`${corpus} is no benchmark corpus: it has no folder named data`);
  return readdirSync(data, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name: category }) =>
      readdirSync(join(data, category))
        .filter((file) => file.endsWith('.csv'))
        .map((file) => `${category}/${file}`),
    )
    .sort();
}

/** The series that a list file names, one `category/file.csv` a line; empty lines and those from # on are passed over. */
export function readList(file: string, known: readonly string[]): string[] {
  const names = readFileSync(file, 'utf8')
    .split(/\r?\n/)
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new BenchInputError(`${file} names ${unknown}, which the corpus does not have`);
  if (names.length === 0) throw new BenchInputError(`${file} names no series`);
  return [...new Set(names)];
}

/** Reads one series. */
export function readSeries(corpus: string, name: string): Series {
  const file = join(corpus, 'data', name);
  const [header, ...lines] = readFileSync(file, 'utf8').trimEnd().split(/\r?\n/);
  if (header?.trim() !== 'timestamp,value')
    throw new BenchInputError(`${file}: the first line must be timestamp,value, not ${String(header)}`);
  if (lines.length === 0) throw new BenchInputError(`${file} has no rows`);
  const timestamps: string[] = [];
  const seconds = new Float64Array(lines.length);
  const values = new Float64Array(lines.length);
  for (const [i, line] of lines.entries()) {
    const [timestamp = '', value = ''] = line.split(',');
    timestamps.push(timestamp);
    seconds[i] = parseTime(timestamp);
    values[i] = value.trim() === '' ? NaN : Number(value);
    if (Number.isNaN(seconds[i]) || !Number.isFinite(values[i]))
      throw new BenchInputError(`${file}, line ${i + 2}: "${line}" is no time and number`);
  }
  return { name, timestamps, seconds, values };
}

/** The labelled windows of each series, in order of time; undefined where the corpus has no labels. */
export function readWindows(corpus: string): Map<string, Window[]> | undefined {
  const file = join(corpus, 'labels', 'combined_windows.json');
  if (!existsSync(file)) return undefined;
  const labels = JSON.parse(readFileSync(file, 'utf8')) as Record<string, [string, string][]>;
  return new Map(
    Object.entries(labels).map(([name, windows]) => [
      name,
      windows.map(([start, end]) => ({ start: parseTime(start), end: parseTime(end) })),
    ]),
  );
}

/** Seconds since 1970 of a naive time taken as UTC; NaN if it is none. */
function parseTime(text: string): number {
  const fields = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d+)?$/.exec(text.trim());
  return fields ? Date.parse(`${fields[1] ?? ''}T${fields[2] ?? ''}Z`) / 1000 : NaN;
}
