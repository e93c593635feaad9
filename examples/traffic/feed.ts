/**
 * The city's public feed of traffic speeds ("DOT Traffic Speeds NBE" of New York's open data), as it answers at FEED_URL: a list of
 * objects whose values are all text. What one of them lacks is told and left out; the others are taken.
 */
export const FEED_URL =
  'https://data.cityofnewyork.us/resource/i4gi-tjb9.json?$limit=500&$order=data_as_of DESC';

export interface Reading {
  readonly id: string;
  readonly name: string;
  readonly borough: string;
  /** Latitude and longitude, without those that are cut off or far from the one before. */
  readonly points: readonly (readonly [latitude: number, longitude: number])[];
  /** Miles per hour. */
  readonly speed: number;
  readonly travelSeconds: number;
  /** Epoch seconds. */
  readonly timestamp: number;
}

export interface Feed {
  /** The newest of each route. */
  readonly readings: readonly Reading[];
  /** Why others were left out, a line each. */
  readonly problems: readonly string[];
}

/** @throws Error for an answer that is no list at all */
export function readFeed(answer: unknown): Feed {
  if (!Array.isArray(answer))
    throw new Error(`the feed answered ${typeof answer}, not a list: has it moved?`);
  const newest = new Map<string, Reading>();
  const problems: string[] = [];
  for (const [i, entry] of answer.entries()) {
    try {
      const reading = readingOf(entry);
      const known = newest.get(reading.id);
      if (known === undefined || known.timestamp < reading.timestamp) newest.set(reading.id, reading);
    } catch (error) {
      problems.push(`entry ${i + 1}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { readings: [...newest.values()], problems };
}

function readingOf(entry: unknown): Reading {
  if (typeof entry !== 'object' || entry === null) throw new Error('it is no object');
  const text = (key: string): string => {
    const value = (entry as Record<string, unknown>)[key];
    if (typeof value !== 'string' || value === '') throw new Error(`${key} is missing`);
    return value;
  };
  const number = (key: string): number => {
    const value = Number(text(key));
    if (!Number.isFinite(value) || value < 0)
      throw new Error(`${key} is ${text(key)}, which is no number from 0 on`);
    return value;
  };
  const id = text('id');
  if (!/^\w{1,40}$/.test(id)) throw new Error(`id is ${id}: it must be letters and digits`);
  // A sensor that does not work tells this.
  if (number('speed') === 0 && number('travel_time') === 0)
    throw new Error(`route ${id} has no reading (0 and 0)`);
  return {
    id,
    name: text('link_name'),
    borough: text('borough'),
    points: pointsIn(text('link_points')),
    speed: number('speed'),
    travelSeconds: number('travel_time'),
    timestamp: newYorkSecond(text('data_as_of')),
  };
}

/** The feed cuts long lists off in the middle of a number, and has strays: a point further away than this is one. */
const FARTHEST_DEGREES = 0.01;

function pointsIn(text: string): [number, number][] {
  const points: [number, number][] = [];
  for (const pair of text.trim().split(/\s+/)) {
    const match = /^(-?\d+\.\d{3,}),(-?\d+\.\d{3,})$/.exec(pair);
    if (match === null) continue;
    const [latitude, longitude] = [Number(match[1]), Number(match[2])];
    const [before] = points.slice(-1);
    const isNear =
      before === undefined ||
      (Math.abs(before[0] - latitude) <= FARTHEST_DEGREES &&
        Math.abs(before[1] - longitude) <= FARTHEST_DEGREES);
    if (isNear) points.push([latitude, longitude]);
  }
  return points;
}

/** The feed's times are those of New York's clocks. @returns epoch seconds; of an hour that comes twice the first */
export function newYorkSecond(text: string): number {
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?$/.exec(text);
  if (match === null) throw new Error(`data_as_of is ${text}: it must be like 2025-01-06T08:00:00.000`);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const asUtc = Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
  for (const offsetHours of [4, 5]) {
    const guess = asUtc + 3600 * offsetHours;
    if (CLOCK.format(1000 * guess) === CLOCK_OF_UTC.format(1000 * asUtc)) return guess;
  }
  throw new Error(`data_as_of is ${text}, an hour that New York's clocks leave out`);
}

const FIELDS = { dateStyle: 'short', timeStyle: 'medium', hourCycle: 'h23' } as const;
const CLOCK = new Intl.DateTimeFormat('en-US', { ...FIELDS, timeZone: 'America/New_York' });
const CLOCK_OF_UTC = new Intl.DateTimeFormat('en-US', { ...FIELDS, timeZone: 'UTC' });
