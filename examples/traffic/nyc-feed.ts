import { epochOfLocal } from './new-york-time.ts';
import type { Route } from './routes.ts';
import type { Reading } from './simulation.ts';

/**
 * The city's feed of traffic speeds (NYC DOT, "Real-Time Traffic Speed Data"): tab-separated with every field in quotes,
 * or JSON as Socrata serves it. Both have the same columns; only their spelling differs.
 */
export const FEED_URL =
  'https://data.cityofnewyork.us/resource/i4gi-tjb9.json?$order=data_as_of%20DESC&$limit=300';

export interface FeedReading extends Reading {
  readonly route: Pick<Route, 'id' | 'name' | 'borough' | 'points'>;
}

export interface Feed {
  /** In the order in which they came. */
  readonly readings: readonly FeedReading[];
  /** Rows that cannot be used, by their number (from 1; of tab-separated text its line) and why. */
  readonly refused: readonly { readonly row: number; readonly reason: string }[];
}

/** The answer as a whole is not what the feed gives. */
export class FeedError extends Error {}

const COLUMNS = ['linkid', 'linkname', 'borough', 'speed', 'traveltime', 'dataasof', 'linkpoints'] as const;
type Column = (typeof COLUMNS)[number];
type Fields = Readonly<Record<Column, string>>;

const MAX_SPEED = 150;
/** The feed cuts the list of corners off at some length: what lies farther than this from the corner before is such a remainder. */
const MAX_CORNER_DEGREES = 0.01;
const ID = /^[A-Za-z0-9_-]{1,64}$/;
const ISO_TIME = /^(\d{4})-(\d\d?)-(\d\d?)[T ](\d\d?):(\d\d):(\d\d)(?:\.\d+)?$/;
const US_TIME = /^(\d\d?)\/(\d\d?)\/(\d{4}) (\d\d?):(\d\d):(\d\d)$/;
const SHOWN_CHARACTERS = 60;
const TIMEOUT_MS = 30_000;

/** Asks the feed. @throws FeedError if it does not answer as it should */
export async function fetchFeed(url: string): Promise<Feed> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!answer.ok) throw new FeedError(`${url} answered ${answer.status}: see whether the feed has moved`);
  return parseFeed(await answer.text());
}

/** @throws FeedError if it is neither JSON nor tab-separated, or lacks a column */
export function parseFeed(text: string): Feed {
  const rows = text.trimStart().startsWith('[') ? jsonRows(text) : tabRows(text);
  const readings: FeedReading[] = [];
  const refused: { row: number; reason: string }[] = [];
  for (const { row, fields } of rows) {
    const reading = typeof fields === 'string' ? fields : readingOf(fields);
    if (typeof reading === 'string') refused.push({ row, reason: reading });
    else readings.push(reading);
  }
  return { readings, refused };
}

/** Its corners, up to the first that is incomplete or too far from the one before. */
export function parsePoints(text: string): [number, number][] {
  const points: [number, number][] = [];
  for (const pair of text.trim().split(/\s+/)) {
    const [latitude = NaN, longitude = NaN] = pair
      .split(',')
      .map((part) => (part === '' ? NaN : Number(part)));
    if (!Number.isFinite(latitude) || !Number.isFinite(longitude)) break;
    const before = points.at(-1);
    if (before !== undefined && Math.hypot(latitude - before[0], longitude - before[1]) > MAX_CORNER_DEGREES)
      break;
    points.push([latitude, longitude]);
  }
  return points;
}

interface Row {
  readonly row: number;
  /** Or why they cannot be read. */
  readonly fields: Fields | string;
}

function jsonRows(text: string): Row[] {
  let rows: unknown;
  try {
    rows = JSON.parse(text);
  } catch (error) {
    throw new FeedError(
      `the feed's JSON cannot be read (${String(error)}): the answer may have been cut off`,
    );
  }
  if (!Array.isArray(rows)) throw new FeedError('the feed is no list of rows');
  return rows.map((row: unknown, index) => ({ row: index + 1, fields: fieldsOfObject(row) }));
}

function fieldsOfObject(row: unknown): Fields | string {
  if (typeof row !== 'object' || row === null) return 'the row is no object';
  const entries = Object.entries(row).map(([key, value]) => {
    const isPlain = typeof value === 'string' || typeof value === 'number';
    return [nameOf(key), isPlain ? String(value) : ''] as const;
  });
  return fieldsOf(new Map(entries));
}

function tabRows(text: string): Row[] {
  const [header = '', ...lines] = text.split(/\r?\n/);
  const names = cells(header).map(nameOf);
  const lacking = COLUMNS.filter((column) => !names.includes(column));
  if (lacking.length > 0)
    throw new FeedError(`the feed's first line "${shown(header)}" lacks the columns ${lacking.join(', ')}`);
  return lines.flatMap((line, index): Row[] => {
    if (line.trim() === '') return [];
    const values = cells(line);
    const fields =
      values.length === names.length
        ? fieldsOf(new Map(names.map((name, i) => [name, values[i] ?? ''])))
        : `it has ${values.length} fields, the first line ${names.length}`;
    return [{ row: index + 2, fields }];
  });
}

function cells(line: string): string[] {
  return line.split('\t').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
}

function nameOf(column: string): string {
  return column.toLowerCase().replaceAll('_', '');
}

function fieldsOf(values: ReadonlyMap<string, string>): Fields | string {
  const [lacking] = COLUMNS.filter((column) => (values.get(column) ?? '') === '');
  if (lacking !== undefined) return `it has no ${lacking}`;
  const of = (column: Column) => values.get(column) ?? '';
  return {
    linkid: of('linkid'),
    linkname: of('linkname'),
    borough: of('borough'),
    speed: of('speed'),
    traveltime: of('traveltime'),
    dataasof: of('dataasof'),
    linkpoints: of('linkpoints'),
  };
}

/** Or why there is none. */
function readingOf(fields: Fields): FeedReading | string {
  if (!ID.test(fields.linkid))
    return `linkId "${shown(fields.linkid)}" is not 1 to 64 letters, digits, _ or -`;
  const speed = Number(fields.speed);
  if (!(speed >= 0 && speed <= MAX_SPEED))
    return `speed "${shown(fields.speed)}" is not from 0 to ${MAX_SPEED} miles per hour`;
  const travelSeconds = Number(fields.traveltime);
  if (!(travelSeconds >= 0)) return `travelTime "${shown(fields.traveltime)}" is no number of seconds`;
  const timestamp = timeOf(fields.dataasof);
  if (timestamp === null)
    return `dataAsOf "${shown(fields.dataasof)}" is neither YYYY-MM-DDTHH:mm:ss nor M/D/YYYY H:mm:ss`;
  const points = parsePoints(fields.linkpoints);
  if (points.length < 2)
    return `linkPoints "${shown(fields.linkpoints)}" has not two corners "latitude,longitude"`;
  const route = { id: fields.linkid, name: fields.linkname, borough: fields.borough, points };
  return { route, timestamp, speed, travelSeconds };
}

/** The feed tells New York's time. @returns epoch seconds, null where the text is no time */
function timeOf(text: string): number | null {
  const iso = ISO_TIME.exec(text);
  const us = US_TIME.exec(text);
  const parts = iso?.slice(1) ?? (us === null ? null : [us[3], us[1], us[2], us[4], us[5], us[6]]);
  if (parts === null) return null;
  const [year = NaN, month = NaN, day = NaN, hour = NaN, minute = NaN, second = NaN] = parts.map(Number);
  const local = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const isReal =
    local.getUTCMonth() === month - 1 &&
    local.getUTCDate() === day &&
    hour < 24 &&
    minute < 60 &&
    second < 60;
  return isReal ? epochOfLocal(local.getTime() / 1000) : null;
}

function shown(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}...` : text;
}
