import { utcText } from '../terminal/text.ts';

/** A mark on an axis. */
export interface Tick {
  readonly at: number;
  readonly label: string;
}

const DAY_SECONDS = 86_400;
const TIME_STEPS = [
  1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200, 1, 2, 7, 14, 30, 90, 180, 365, 1825, 3650,
].map((step, i) => (i < 12 ? step : step * DAY_SECONDS));

/** Round numbers from `min` to `max` (`min < max`), about `count` of them. */
export function valueTicks(min: number, max: number, count: number): Tick[] {
  const step = roundStep((max - min) / count);
  const first = Math.ceil(min / step);
  const last = Math.floor(max / step);
  return Array.from({ length: Math.max(0, Math.min(100, last - first + 1)) }, (_, i) => {
    const at = (first + i) * step;
    return { at, label: Number(at.toPrecision(6)).toString() };
  });
}

/** Round times from `from` to `to` in seconds UTC, at most `count` + 1 of them. */
export function timeTicks(from: number, to: number, count: number): Tick[] {
  const rough = (to - from) / count;
  const step = TIME_STEPS.find((known) => known >= rough) ?? Math.ceil(rough / DAY_SECONDS) * DAY_SECONDS;
  const first = Math.ceil(from / step);
  const last = Math.floor(to / step);
  return Array.from({ length: last - first + 1 }, (_, i) => {
    const at = (first + i) * step;
    return {
      at,
      label: step >= DAY_SECONDS ? utcText(at).slice(0, 10) : utcText(at).slice(5, step < 60 ? 19 : 16),
    };
  });
}

/** The least of 1, 2, 5 times a power of ten that is not below `rough`. */
function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough) ?? 10 * power;
}
