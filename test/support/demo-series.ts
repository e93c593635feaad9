import { seededRandom } from './series.ts';

/** A metric for pictures and tests of the page: rows every 5 minutes, and how to monitor it. */
export interface DemoSeries {
  readonly name: string;
  readonly samples: readonly { readonly timestamp: number; readonly value: number }[];
  /** Null: not monitored. */
  readonly range: { readonly min: number; readonly max: number } | null;
}

const DAY_ROWS = 288;
const ROW_SECONDS = 300;

/**
 * A day's rhythm with a little noise, that breaks for `anomaly.rows` rows, `anomaly.fromEnd` rows before the end. The last row
 * is at `lastTimestamp`.
 */
export function rhythm(
  name: string,
  rows: number,
  lastTimestamp: number,
  anomaly?: { readonly fromEnd: number; readonly rows: number; readonly value: number },
): DemoSeries {
  const random = seededRandom(name.length + 7 * (name.codePointAt(name.length - 1) ?? 0));
  const phase = random() * DAY_ROWS;
  const samples = Array.from({ length: rows }, (_, i) => {
    const fromEnd = rows - 1 - i;
    const cycle = 50 + 30 * Math.sin((2 * Math.PI * (i + phase)) / DAY_ROWS);
    const broken =
      anomaly !== undefined && fromEnd <= anomaly.fromEnd && fromEnd > anomaly.fromEnd - anomaly.rows;
    const value = (broken ? anomaly.value : cycle) + 3 * random();
    return { timestamp: lastTimestamp - ROW_SECONDS * fromEnd, value: Math.round(100 * value) / 100 };
  });
  return { name, samples, range: { min: 0, max: 150 } };
}

/** Sends the series to an engine, as a user would over HTTP, monitors them, and waits until all of it is scored. */
export async function layDown(engine: string, series: readonly DemoSeries[]): Promise<void> {
  for (const { name, samples, range } of series) {
    await request(
      engine,
      'POST',
      'samples',
      samples.map((sample) => ({ name, ...sample })),
    );
    if (range !== null) await request(engine, 'PUT', `metrics/${encodeURIComponent(name)}/model`, range);
  }
  for (const { name, samples, range } of series) {
    while (range !== null && (await scoredRows(engine, name)) < samples.length) {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

async function scoredRows(engine: string, name: string): Promise<number> {
  const metric = await request(engine, 'GET', `metrics/${encodeURIComponent(name)}`);
  return (metric as { scoredRows: number }).scoredRows;
}

async function request(engine: string, method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${engine}api/v1/${path}`, {
    method,
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
  return JSON.parse(text) as unknown;
}
