import type { ValueRange } from '../../generation.ts';

/** A made metric: its value is a function of time alone, so that whoever goes on with it later goes on with the same series. */
export interface DemoSeries {
  readonly name: string;
  readonly unit: string;
  readonly range: ValueRange;
  /** Rows of its history when it is laid down. */
  readonly historyRows: number;
  /** Seconds after each full five minutes at which its rows lie: so that something moves every minute. */
  readonly phaseSeconds: number;
  /** Its usual value at a time in epoch seconds. */
  readonly usual: (timestamp: number) => number;
  readonly anomaly: DemoAnomaly | null;
}

/** Something that happens once in a series. */
interface DemoAnomaly {
  /** Where it begins, counted from the end of the history. */
  readonly rowsBeforeEnd: number;
  readonly rows: number;
  readonly value: (timestamp: number) => number;
}

export const DEMO_STEP_SECONDS = 300;
/** A week. */
const HISTORY_ROWS = 7 * 288;
const SECONDS_PER_DAY = 86_400;
const SECONDS_PER_HOUR = 3600;
/** 1970-01-01 was a Thursday. */
const EPOCH_WEEKDAY = 4;

/** All of them, the one with the anomaly first. Names begin with `demo.`. */
export const DEMO_SERIES: readonly DemoSeries[] = [
  {
    name: 'demo.machine.temperature',
    unit: 'degrees Celsius',
    range: { min: 20, max: 120 },
    historyRows: HISTORY_ROWS,
    phaseSeconds: 0,
    usual: (at) => 55 + 20 * dayWave(at, 16) + 0.7 * noise(1, at),
    // It overheats while its fan fails on and off.
    anomaly: { rowsBeforeEnd: 96, rows: 10, value: (at) => 98 + 8 * noise(1, at) },
  },
  {
    name: 'demo.web.requests',
    unit: 'requests/s',
    range: { min: 0, max: 500 },
    historyRows: HISTORY_ROWS,
    phaseSeconds: 60,
    usual: (at) => 120 + (isWeekend(at) ? 120 : 200) * dayWave(at, 15) + 5 * noise(2, at),
    anomaly: null,
  },
  {
    name: 'demo.server.cpu',
    unit: 'percent',
    range: { min: 0, max: 100 },
    historyRows: HISTORY_ROWS,
    phaseSeconds: 120,
    usual: (at) => 20 + 35 * officeHours(at) + nightlyBackup(at) + 1.5 * noise(3, at),
    anomaly: null,
  },
  {
    name: 'demo.shop.orders',
    unit: 'orders',
    range: { min: 0, max: 60 },
    historyRows: HISTORY_ROWS,
    phaseSeconds: 180,
    usual: (at) => Math.round((isWeekend(at) ? 32 : 25) * dayWave(at, 20) + 3 + 0.8 * noise(4, at)),
    anomaly: null,
  },
  {
    name: 'demo.new.sensor',
    unit: 'bar',
    range: { min: 0, max: 10 },
    historyRows: 120,
    phaseSeconds: 240,
    usual: (at) => 4 + 2 * dayWave(at, 12) + 0.2 * noise(5, at),
    anomaly: null,
  },
];

/** The newest time at or before `nowSeconds` at which the series has a row. */
export function newestTime({ phaseSeconds }: DemoSeries, nowSeconds: number): number {
  return Math.floor((nowSeconds - phaseSeconds) / DEMO_STEP_SECONDS) * DEMO_STEP_SECONDS + phaseSeconds;
}

/** The value at a time of a series whose history began at `firstSeconds`. Rounded to hundredths. */
export function demoValue(series: DemoSeries, firstSeconds: number, timestamp: number): number {
  const { historyRows, usual, anomaly, range } = series;
  const row = (timestamp - firstSeconds) / DEMO_STEP_SECONDS - (historyRows - (anomaly?.rowsBeforeEnd ?? 0));
  const isAnomaly = anomaly !== null && row >= 0 && row < anomaly.rows;
  const value = isAnomaly ? anomaly.value(timestamp) : usual(timestamp);
  return Math.round(100 * Math.min(range.max, Math.max(range.min, value))) / 100;
}

/** 0 at the quietest and 1 at the busiest time of the day, which is at `peakHour` UTC. */
function dayWave(at: number, peakHour: number): number {
  return (1 + Math.cos((2 * Math.PI * (hourOf(at) - peakHour)) / 24)) / 2;
}

/** 1 on working days from 9 to 17, rising and falling within an hour; a quarter of it at the weekend. */
function officeHours(at: number): number {
  const hour = hourOf(at);
  const share = Math.min(1, Math.max(0, Math.min(hour - 8, 18 - hour)));
  return isWeekend(at) ? share / 4 : share;
}

/** An hour of more load from 2 to 3. */
function nightlyBackup(at: number): number {
  return hourOf(at) >= 2 && hourOf(at) < 3 ? 20 : 0;
}

/** 0 .. 24, UTC. */
function hourOf(at: number): number {
  return (at % SECONDS_PER_DAY) / SECONDS_PER_HOUR;
}

function isWeekend(at: number): boolean {
  const weekday = (Math.floor(at / SECONDS_PER_DAY) + EPOCH_WEEKDAY) % 7;
  return weekday === 0 || weekday === 6;
}

/** -1 .. 1, the same for a seed and a time wherever and whenever it is asked for (a mixing of the two as in mulberry32). */
function noise(seed: number, at: number): number {
  const state = (Math.imul(at, 0x9e3779b1) + Math.imul(seed, 0x6d2b79f5)) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return (2 * ((mixed ^ (mixed >>> 14)) >>> 0)) / 2 ** 32 - 1;
}
