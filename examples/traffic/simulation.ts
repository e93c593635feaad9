import { epochOfLocal, isFreeDay, localTime } from './new-york-time.ts';
import { type Route, travelSeconds } from './routes.ts';

/**
 * Invented traffic. Every value is a function of seed, route and time alone, so that a program that was away goes on with
 * the very data it would have had, and a report can be repeated.
 */

/** Seconds between values. */
export const STEP_SECONDS = 300;
/** No speed is beyond these, miles per hour: the range that the original's tutorial gave to its models. */
export const SPEED_RANGE = { min: 0, max: 80 } as const;

export interface Disturbance {
  readonly kind: 'incident' | 'roadworks';
  readonly routeId: string;
  /** Epoch seconds; from `to` on the road recovers. */
  readonly from: number;
  readonly to: number;
  /** What is left of the speed, 0..1. */
  readonly remaining: number;
}

export interface Reading {
  readonly timestamp: number;
  /** Miles per hour, with two decimals. */
  readonly speed: number;
  readonly travelSeconds: number;
}

/** How often and how badly roads are disturbed. */
const INCIDENT = {
  /** Of one route on one day. */
  probability: 0.1,
  hours: { from: 6, to: 21 },
  minutes: { from: 40, to: 110 },
  remaining: { from: 0.2, to: 0.55 },
};
const ROADWORKS = {
  /** Of one route in one week: then three nights from 22:00 to 05:00. */
  probability: 0.2,
  nights: 3,
  fromHour: 22,
  hours: 7,
  remaining: { from: 0.5, to: 0.7 },
};
/** An incident takes hold, and its queue goes away, in so many seconds. */
const ONSET_SECONDS = 600;
const RECOVERY_SECONDS = 1800;
/** Standard deviation of single values, and reach of what lasts for hours, as shares of the speed. */
const NOISE = { single: 0.03, lasting: 0.05 };
const MINUTE_SECONDS = 60;
const HOUR_SECONDS = 3600;
const DAY_SECONDS = 86_400;
/** Days that a disturbance may reach beyond the one it began on. */
const REACH_DAYS = 1;

export class TrafficSimulation {
  readonly #seed: number;
  /** What people have planted, beside what the seed has. */
  readonly #added: Disturbance[] = [];
  readonly #daily = new Map<string, readonly Disturbance[]>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** What is measured on a route. @param timestamp epoch seconds */
  reading(route: Route, timestamp: number): Reading {
    const disturbed = this.#disturbancesNear(route, timestamp).reduce(
      (least, one) => Math.min(least, remainingAt(one, timestamp)),
      1,
    );
    const usual = route.freeSpeed * (1 - rushShare(route, timestamp));
    const noise = 1 + this.#lasting(route.id, timestamp) + this.#single(route.id, timestamp);
    const speed = Math.min(Math.max(usual * disturbed * noise, 1), SPEED_RANGE.max);
    const rounded = Math.round(speed * 100) / 100;
    return { timestamp, speed: rounded, travelSeconds: travelSeconds(route, rounded) };
  }

  /** What was planted on a route and begins in a time, in order. @param from epoch seconds, inclusive @param to exclusive */
  disturbances(route: Route, from: number, to: number): Disturbance[] {
    const found: Disturbance[] = this.#added.filter(({ routeId }) => routeId === route.id);
    for (let day = localTime(from).day; day <= localTime(to).day; day++)
      found.push(...this.#ofDay(route, day));
    return found.filter((one) => one.from >= from && one.from < to).sort((a, b) => a.from - b.from);
  }

  /** Plants an incident of an hour that leaves a quarter of the speed. @param from epoch seconds */
  plant(route: Route, from: number): Disturbance {
    const planted: Disturbance = {
      kind: 'incident',
      routeId: route.id,
      from,
      to: from + HOUR_SECONDS,
      remaining: 0.25,
    };
    this.#added.push(planted);
    return planted;
  }

  #disturbancesNear(route: Route, timestamp: number): Disturbance[] {
    const { day } = localTime(timestamp);
    const near = this.#added.filter(({ routeId }) => routeId === route.id);
    for (let back = 0; back <= REACH_DAYS; back++) near.push(...this.#ofDay(route, day - back));
    return near;
  }

  #ofDay(route: Route, day: number): readonly Disturbance[] {
    const key = `${route.id} ${day}`;
    let known = this.#daily.get(key);
    if (known === undefined) {
      known = [...this.#incident(route.id, day), ...this.#roadworks(route.id, day)];
      this.#daily.set(key, known);
    }
    return known;
  }

  #incident(routeId: string, day: number): Disturbance[] {
    const chance = (what: string) => uniform(this.#seed, routeId, 'incident', what, day);
    if (chance('whether') >= INCIDENT.probability) return [];
    const hour = between(INCIDENT.hours, chance('hour'));
    const from = onStep(epochOfLocal(day * DAY_SECONDS + Math.round(hour * HOUR_SECONDS)));
    const minutes = between(INCIDENT.minutes, chance('minutes'));
    const to = onStep(from + minutes * MINUTE_SECONDS);
    return [
      { kind: 'incident', routeId, from, to, remaining: between(INCIDENT.remaining, chance('remaining')) },
    ];
  }

  #roadworks(routeId: string, day: number): Disturbance[] {
    const week = Math.floor(day / 7);
    const chance = (what: string) => uniform(this.#seed, routeId, 'roadworks', what, week);
    if (chance('whether') >= ROADWORKS.probability || day % 7 >= ROADWORKS.nights) return [];
    const from = epochOfLocal(day * DAY_SECONDS + ROADWORKS.fromHour * HOUR_SECONDS);
    const remaining = between(ROADWORKS.remaining, chance('remaining'));
    return [{ kind: 'roadworks', routeId, from, to: from + ROADWORKS.hours * HOUR_SECONDS, remaining }];
  }

  /** Goes smoothly from hour to hour. */
  #lasting(routeId: string, timestamp: number): number {
    const hour = Math.floor(timestamp / HOUR_SECONDS);
    const part = timestamp / HOUR_SECONDS - hour;
    const at = (knot: number) => uniform(this.#seed, routeId, 'lasting', '', knot) * 2 - 1;
    return NOISE.lasting * (at(hour) * (1 - part) + at(hour + 1) * part);
  }

  /** Normally distributed (Box and Muller). */
  #single(routeId: string, timestamp: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform(this.#seed, routeId, 'single', 'radius', timestamp)));
    const angle = 2 * Math.PI * uniform(this.#seed, routeId, 'single', 'angle', timestamp);
    return NOISE.single * radius * Math.cos(angle);
  }
}

/** The share of the free speed that others on the road take away, 0..1. @param timestamp epoch seconds */
export function rushShare(route: Route, timestamp: number): number {
  const { day, hour } = localTime(timestamp);
  // Free days have one low hump, in the afternoon.
  if (isFreeDay(day)) return 0.16 * hump(hour, 15, 3);
  return Math.min(
    route.morning * hump(hour, 8.2, 1.1) + route.evening * hump(hour, 17.5, 1.5) + 0.12 * hump(hour, 13, 2.5),
    0.9,
  );
}

function hump(hour: number, middle: number, width: number): number {
  return Math.exp(-0.5 * ((hour - middle) / width) ** 2);
}

/** What is left of the speed at a time, 0..1. */
function remainingAt({ from, to, remaining }: Disturbance, timestamp: number): number {
  if (timestamp < from || timestamp >= to + RECOVERY_SECONDS) return 1;
  const onset = Math.min((timestamp - from + STEP_SECONDS) / ONSET_SECONDS, 1);
  const recovery = timestamp < to ? 0 : (timestamp - to) / RECOVERY_SECONDS;
  return 1 - (1 - remaining) * onset * (1 - recovery);
}

function between({ from, to }: { readonly from: number; readonly to: number }, part: number): number {
  return from + (to - from) * part;
}

function onStep(timestamp: number): number {
  return Math.floor(timestamp / STEP_SECONDS) * STEP_SECONDS;
}

/** Evenly distributed in 0..1 (exclusive) and the same for the same arguments: FNV-1a over them, then MurmurHash3's last steps. */
function uniform(seed: number, routeId: string, what: string, part: string, number: number): number {
  let hash = 0x811c9dc5;
  const text = `${seed}/${routeId}/${what}/${part}/${number}`;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
