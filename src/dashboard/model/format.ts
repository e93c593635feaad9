/** Numbers and times for people. */
const plain = new Intl.NumberFormat('en', { maximumSignificantDigits: 6, useGrouping: true });
const scientific = new Intl.NumberFormat('en', { notation: 'scientific', maximumSignificantDigits: 5 });

/** A value of a metric in at most six digits. */
export function formatValue(value: number | null): string {
  if (value === null) return '–';
  const size = Math.abs(value);
  return (size !== 0 && size < 1e-4) || size >= 1e12 ? scientific.format(value) : plain.format(value);
}

/** A log-likelihood 0..1. */
export const formatScore = (score: number | null) => (score === null ? '–' : score.toFixed(2));

export const formatCount = (count: number) => count.toLocaleString('en');

/** `local` is the browser's zone. */
export type Zone = 'local' | 'utc';

/** The zone's name: `UTC`, or as in `Europe/Vienna`. */
export function zoneName(zone: Zone): string {
  return zone === 'utc' ? 'UTC' : new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

const timeFormats = new Map<Zone, Intl.DateTimeFormat>();

/** Epoch seconds as `2026-03-04 05:06:07` in the zone. */
export function formatTime(seconds: number, zone: Zone): string {
  let format = timeFormats.get(zone);
  if (format === undefined) {
    // The Swedish form is the sortable one.
    format = new Intl.DateTimeFormat('sv', {
      dateStyle: 'short',
      timeStyle: 'medium',
      ...(zone === 'utc' && { timeZone: 'UTC' }),
    });
    timeFormats.set(zone, format);
  }
  return format.format(seconds * 1000);
}

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const;

/** A length of time in its two largest units: `2 d 3 h`, `45 s`. */
export function formatDuration(seconds: number): string {
  let rest = Math.round(seconds);
  const parts: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(' ') || '0 s';
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** Bytes in three digits: `1.50 MiB`. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const unit = BYTE_UNITS[power] ?? '';
  const size = bytes / 1024 ** power;
  return power === 0 ? `${Math.round(bytes)} B` : `${size.toPrecision(size >= 1000 ? 4 : 3)} ${unit}`;
}
