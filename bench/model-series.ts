import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../src/htm/random.ts';
import { BenchInputError, listSeries, readSeries } from './nab-corpus.ts';
import type { Series } from './nab-corpus.ts';

/** Pure noise, on which memories grow most: measured with and without a ceiling. */
export const NOISE_SERIES = 'artificialNoAnomaly/art_noisy.csv';

/** Measured unless others are asked for: a quiet series, two that learn much, and noise. */
export const DEFAULT_SERIES = [
  'realTweets/Twitter_volume_AMZN.csv',
  'realKnownCause/ambient_temperature_system_failure.csv',
  'realKnownCause/nyc_taxi.csv',
  NOISE_SERIES,
];

/** A mix for many models in one process: all but the noise. */
export const FLEET_SERIES = DEFAULT_SERIES.slice(0, 3);

/**
 * The series to measure on.
 * @returns undefined if there is no corpus in the folder.
 */
export function corpusSeries(corpus: string, names: readonly string[]): Series[] | undefined {
  if (!existsSync(join(corpus, 'data'))) return undefined;
  const known = listSeries(corpus);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new BenchInputError(`the corpus in ${corpus} has no series ${unknown}`);
  return names.map((name) => readSeries(corpus, name));
}

/** A made-up series, the same each time: five-minute rows, a day's wave, noise, a shift of level now and then and spikes. */
export function syntheticSeries(rows: number): Series {
  const random = Random.seeded(20_140_401);
  const start = Date.UTC(2014, 3, 1) / 1000;
  const seconds = Float64Array.from({ length: rows }, (_, row) => start + 300 * row);
  let level = 50;
  const values = seconds.map((time) => {
    if (random.below(2000) === 0) level = 40 + random.below(20);
    const spike = random.below(1000) === 0 ? 80 * random.real() : 0;
    return level + 30 * Math.sin((2 * Math.PI * time) / 86_400) + 6 * random.real() + spike;
  });
  const timestamps = Array.from(seconds, (time) => new Date(1000 * time).toISOString());
  return { name: 'synthetic, seeded', timestamps, seconds, values };
}

/** The first rows of a series. */
export function firstRows(series: Series, rows: number): Series {
  return {
    name: series.name,
    timestamps: series.timestamps.slice(0, rows),
    seconds: series.seconds.slice(0, rows),
    values: series.values.slice(0, rows),
  };
}
