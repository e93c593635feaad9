import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A series of the benchmark, or one made by a script: what a sender sends under one name. */
export interface Series {
  readonly name: string;
  readonly timestamps: readonly number[];
  readonly values: readonly number[];
}

/** Where the benchmark's files are, or null: they lie beside the checkout and are no part of the repository. */
export function nabDirectory(): string | null {
  const directory = process.env.HTMENGINE_NAB ?? join(import.meta.dirname, '../../../shared/nab');
  if (existsSync(join(directory, 'data'))) return directory;
  if (process.env.HTMENGINE_REQUIRE_NAB !== undefined)
    throw new Error(`the benchmark is required and not at ${directory}`);
  return null;
}

/** Relative names of its series, `category/file.csv`, in byte order. */
export function nabFiles(directory: string): string[] {
  return readdirSync(join(directory, 'data'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => readdirSync(join(directory, 'data', name)).map((file) => `${name}/${file}`))
    .sort();
}

/** Rows of one file in file order, duplicates included; naive times are UTC. */
export function readNabFile(directory: string, file: string): Series {
  const timestamps: number[] = [];
  const values: number[] = [];
  for (const line of readFileSync(join(directory, 'data', file), 'utf8')
    .split('\n')
    .slice(1)) {
    const [time, value] = line.trim().split(',');
    if (time === undefined || value === undefined) continue;
    timestamps.push(Date.parse(`${time.replace(' ', 'T')}Z`) / 1000);
    values.push(Number(value));
  }
  return { name: file.replace(/\.csv$/, ''), timestamps, values };
}

/** What a storer that refuses times not after the last one keeps of a series. */
export function acceptedRows({ timestamps, values }: Series): { timestamp: number; value: number }[] {
  const rows: { timestamp: number; value: number }[] = [];
  timestamps.forEach((timestamp, i) => {
    if (timestamp > (rows.at(-1)?.timestamp ?? -Infinity)) rows.push({ timestamp, value: values[i] ?? NaN });
  });
  return rows;
}
