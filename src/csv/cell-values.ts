/** What a cell of a time or value column means: a number, or what is wrong with it. */
export type CellValue =
  | { readonly number: number; readonly wrong?: undefined }
  | { readonly wrong: string; readonly number?: undefined };

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const DATE_TIME =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?)?\s?(Z|[+-]\d\d(?::?\d\d)?)?$/i;
/** Plain numbers from here on are milliseconds by mistake: as seconds they lie beyond the year 5138. */
const MILLISECONDS_FROM = 1e11;
const SHOWN_CHARACTERS = 40;

/** A finite decimal number. */
export function parseValue(text: string): CellValue {
  const trimmed = text.trim();
  if (trimmed === '') return { wrong: 'the value is empty' };
  const number = DECIMAL.test(trimmed) ? Number(trimmed) : NaN;
  if (!Number.isFinite(number)) return { wrong: `the value ${shown(trimmed)} is no finite decimal number` };
  return { number: number === 0 ? 0 : number };
}

/**
 * A time in whole seconds since 1970 UTC, as the engine stores it: fractions are cut off. Understands epoch seconds
 * and ISO 8601 dates and times, with a blank in place of the T, too; without an offset they are UTC.
 */
export function parseTime(text: string): CellValue {
  const trimmed = text.trim();
  if (trimmed === '') return { wrong: 'the time is empty' };
  if (DECIMAL.test(trimmed)) return epochSeconds(trimmed);
  const seconds = isoSeconds(trimmed);
  if (Number.isNaN(seconds))
    return {
      wrong: `the time ${shown(trimmed)} is neither epoch seconds nor a valid date and time like 2026-01-31 12:00:00`,
    };
  return { number: seconds };
}

function epochSeconds(text: string): CellValue {
  const seconds = Number(text);
  if (Math.abs(seconds) >= MILLISECONDS_FROM)
    return { wrong: `the time ${shown(text)} looks like milliseconds; times are epoch seconds` };
  return { number: Math.trunc(seconds) };
}

function isoSeconds(text: string): number {
  const match = DATE_TIME.exec(text);
  if (match === null) return NaN;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((field: string | undefined) => Number(field ?? 0));
  const offset = offsetMinutes(match[7]);
  if (hour > 23 || minute > 59 || second > 59 || Number.isNaN(offset)) return NaN;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isDayOfMonth = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isDayOfMonth ? date.getTime() / 1000 + 3600 * hour + 60 * (minute - offset) + second : NaN;
}

/** Minutes east of Greenwich; NaN if there is no such offset. */
function offsetMinutes(text: string | undefined): number {
  if (text === undefined || text.toUpperCase() === 'Z') return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(3).replace(':', ''));
  if (hours > 23 || minutes > 59) return NaN;
  return (text.startsWith('-') ? -1 : 1) * (60 * hours + minutes);
}

/** A cell as it is quoted in a message: short and without control characters. */
export function shown(text: string): string {
  const short = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}...` : text;
  return JSON.stringify(short);
}
