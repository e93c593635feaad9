const SECONDS_PER_MINUTE = 60;
const SECONDS_PER_HOUR = 3600;
const SECONDS_PER_DAY = 86_400;
const SPARKS = '▁▂▃▄▅▆▇█';
const SHOWN_DIGITS = 6;

/** `YYYY-MM-DD HH:MM:SS` in UTC. */
export function utcText(seconds: number): string {
  return new Date(1000 * seconds).toISOString().replace('T', ' ').slice(0, -5);
}

/** `YYYY-MM-DDTHH:MM:SSZ`. */
export function isoText(seconds: number): string {
  return `${utcText(seconds).replace(' ', 'T')}Z`;
}

/** How long ago a time was, short: `12 s ago`. */
export function ageText(seconds: number, nowSeconds: number): string {
  const age = Math.max(0, Math.round(nowSeconds - seconds));
  if (age < 2 * SECONDS_PER_MINUTE) return `${age} s ago`;
  if (age < 2 * SECONDS_PER_HOUR) return `${Math.floor(age / SECONDS_PER_MINUTE)} min ago`;
  if (age < 2 * SECONDS_PER_DAY) return `${Math.floor(age / SECONDS_PER_HOUR)} h ago`;
  return `${Math.floor(age / SECONDS_PER_DAY)} days ago`;
}

export function shortNumber(value: number): string {
  return String(Number(value.toPrecision(SHOWN_DIGITS)));
}

export function countText(count: number, one: string, several = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : several}`;
}

/** One block per value; values are from 0 to 1. */
export function sparkline(values: readonly number[]): string {
  return values
    .map((value) => SPARKS[Math.min(SPARKS.length - 1, Math.floor(value * SPARKS.length))] ?? ' ')
    .join('');
}

/** Text of others as it may be shown: without control characters, which could rewrite a terminal. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ');
}
