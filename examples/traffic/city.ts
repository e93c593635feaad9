import { ROUTES, type Route } from './routes.ts';

/**
 * A simulated city: what a sensor on each route would tell every five minutes. Rush hours, weekends, holidays, weather
 * and noise are what a model has to learn; accidents and roadworks are planted, and known, so that it can be
 * counted how many of them were found. The same seed gives the same city on every machine.
 */
export class City {
  readonly seed: number;
  readonly planted: readonly Planted[];
  readonly #plantedOn = new Map<string, Planted[]>();

  /** @param days how long it goes on. */
  constructor(seed: number, days: number) {
    this.seed = seed;
    this.planted = plant(seed, days);
    for (const each of this.planted) {
      const there = this.#plantedOn.get(each.route) ?? [];
      this.#plantedOn.set(each.route, [...there, each]);
    }
  }

  /** Miles per hour on a route in five-minute step `step`, rounded as sensors do. */
  speed(route: Route, step: number): number {
    const usual = usualShare(route, step, this.#weather(Math.floor(step / STEPS_PER_DAY)));
    const noise =
      1 + 0.05 * slowNoise(this.seed, route.id, step) + 0.02 * gaussian(this.seed, `${route.id} n`, step);
    const hindered = (this.#plantedOn.get(route.id) ?? []).reduce(
      (share, each) => share * shareLeft(each, step),
      1,
    );
    const speed = route.freeSpeed * usual * noise * hindered;
    return Math.max(2, Math.round(100 * speed) / 100);
  }

  /** How much rain slows everybody down on a day, 0 to 0.15. */
  #weather(day: number): number {
    const rain = uniform(this.seed, 'rain', day);
    return rain > 0.75 ? 0.6 * (rain - 0.75) : 0;
  }
}

/** Something out of the ordinary that the simulation does to one route. */
export interface Planted {
  readonly kind: 'accident' | 'roadworks';
  readonly route: string;
  /** First and last five-minute step of it. */
  readonly from: number;
  readonly to: number;
  /** Of the speed, what is left at the worst. */
  readonly share: number;
}

export const STEP_SECONDS = 300;
export const STEPS_PER_DAY = 288;
/** Monday 6 January 2025, midnight in the city, whose clock is that of UTC here: it has no summer time. */
export const FIRST_SECOND = Date.UTC(2025, 0, 6) / 1000;
/** Nothing is planted before: models learn what is usual. */
export const CALM_DAYS = 14;

/** Minutes that a drive along the route takes at a speed. */
export function travelMinutes({ miles }: Route, speed: number): number {
  return Math.round((6000 * miles) / speed) / 100;
}

export function secondOf(step: number): number {
  return FIRST_SECOND + STEP_SECONDS * step;
}

/** The share of the free speed that traffic leaves at that time. */
function usualShare(route: Route, step: number, weather: number): number {
  const day = Math.floor(step / STEPS_PER_DAY);
  const hour = (24 * (step % STEPS_PER_DAY)) / STEPS_PER_DAY;
  const taken = isDayOff(day)
    ? 0.25 * peak(hour, 14.5, 3)
    : route.morning * peak(hour, 8.4, 1.1) +
      route.evening * peak(hour, 17.6, 1.5) +
      0.12 * peak(hour, 13, 3.5);
  return Math.max(0.12, (1 - Math.min(taken, 0.85)) * (1 - weather));
}

/** Saturdays, Sundays, and the holidays of the first half of 2025. */
export function isDayOff(day: number): boolean {
  return (
    day % 7 > 4 || HOLIDAYS.has(new Date(1000 * secondOf(STEPS_PER_DAY * day)).toISOString().slice(0, 10))
  );
}

const HOLIDAYS = new Set(['2025-01-20', '2025-02-17', '2025-05-26', '2025-06-19']);

/** An accident comes suddenly and clears in half an hour; roadworks begin and end by the clock. */
function shareLeft({ kind, from, to, share }: Planted, step: number): number {
  if (step < from || step > to + CLEARING_STEPS) return 1;
  if (step <= to) return kind === 'roadworks' && !isNight(step) ? 1 : share;
  if (kind === 'roadworks') return 1;
  return share + ((1 - share) * (step - to)) / CLEARING_STEPS;
}

const CLEARING_STEPS = 6;

function isNight(step: number): boolean {
  const hour = (24 * (step % STEPS_PER_DAY)) / STEPS_PER_DAY;
  return hour >= 22 || hour < 5;
}

/** About an accident every day and a half somewhere, and roadworks each week, none close to another on the same route. */
function plant(seed: number, days: number): Planted[] {
  const all: Planted[] = [];
  const add = (each: Planted) => {
    const isClear = all.every(
      ({ route, from, to }) =>
        route !== each.route || each.from > to + STEPS_PER_DAY || each.to < from - STEPS_PER_DAY,
    );
    if (isClear) all.push(each);
  };
  for (let day = CALM_DAYS; day < days; day++) {
    const draw = (what: string) => uniform(seed, what, day);
    if (draw('accident') < 0.65) {
      const from = STEPS_PER_DAY * day + Math.floor((6 + 15 * draw('when')) * 12);
      const to = from + 9 + Math.floor(15 * draw('how long'));
      add({
        kind: 'accident',
        route: anyRoute(draw('where')),
        from,
        to,
        share: 0.15 + 0.3 * draw('how bad'),
      });
    }
    if (day % 7 === 1) {
      const from = STEPS_PER_DAY * day + 22 * 12;
      add({
        kind: 'roadworks',
        route: anyRoute(draw('works')),
        from,
        to: from + 3 * STEPS_PER_DAY,
        share: 0.5,
      });
    }
  }
  return all.sort((a, b) => a.from - b.from);
}

function anyRoute(draw: number): string {
  return ROUTES[Math.floor(draw * ROUTES.length)]?.id ?? '';
}

/** 1 at `centre`, falling off over about `width` hours. */
function peak(hour: number, centre: number, width: number): number {
  return Math.exp(-((hour - centre) ** 2) / (2 * width ** 2));
}

/** Noise that takes half an hour to change, so that the road has moods. */
function slowNoise(seed: number, what: string, step: number): number {
  const [before, after] = [Math.floor(step / 6), Math.floor(step / 6) + 1];
  const part = (step % 6) / 6;
  return (1 - part) * gaussian(seed, what, before) + part * gaussian(seed, what, after);
}

/** Normally distributed, as good as: the sum of twelve draws. */
function gaussian(seed: number, what: string, step: number): number {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += uniform(seed + i, what, step);
  return sum;
}

/** A number in [0, 1) that depends on nothing else (a hash after Murmur's finaliser). */
export function uniform(seed: number, what: string, step: number): number {
  let mixed = Math.imul(seed + 0x9e3779b9, 0x85ebca6b) ^ Math.imul(step + 1, 0xc2b2ae35);
  for (let i = 0; i < what.length; i++) mixed = Math.imul(mixed ^ what.charCodeAt(i), 0x01000193);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
}
