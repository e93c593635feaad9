import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CALM_DAYS,
  City,
  isDayOff,
  secondOf,
  STEPS_PER_DAY,
  travelMinutes,
} from '../../examples/traffic/city.ts';
import { ROUTES, type Route } from '../../examples/traffic/routes.ts';

/** The simulated city of the traffic example. */
const [INBOUND = never()] = ROUTES.filter(({ id }) => id === '1007');

function never(): never {
  throw new Error('the route is gone');
}

const at = (day: number, hour: number) => STEPS_PER_DAY * day + 12 * hour;

function meanSpeed(
  city: City,
  route: Route,
  days: readonly number[],
  fromHour: number,
  toHour: number,
): number {
  const steps = days.flatMap((day) =>
    Array.from({ length: 12 * (toHour - fromHour) }, (_, i) => at(day, fromHour) + i),
  );
  return steps.reduce((sum, step) => sum + city.speed(route, step), 0) / steps.length;
}

describe('the simulated city', () => {
  it('is the same for a seed and another for another', () => {
    const speeds = (seed: number) =>
      Array.from({ length: 50 }, (_, step) => new City(seed, 28).speed(INBOUND, step));
    expect(speeds(3)).toEqual(speeds(3));
    expect(speeds(3)).not.toEqual(speeds(4));
    expect(new City(3, 60).planted).toEqual(new City(3, 60).planted);
  });

  it('is slow in the morning rush of working days, not at night, at weekends or on holidays', () => {
    const city = new City(1, 14);
    const working = [0, 1, 2, 3, 4];
    const rush = meanSpeed(city, INBOUND, working, 8, 9);
    expect(rush).toBeLessThan(0.6 * meanSpeed(city, INBOUND, working, 2, 4));
    expect(rush).toBeLessThan(0.6 * meanSpeed(city, INBOUND, [5, 6], 8, 9));
    // Monday 20 January.
    expect(rush).toBeLessThan(0.6 * meanSpeed(city, INBOUND, [14], 8, 9));
    expect([4, 5, 6, 7, 14].map(isDayOff)).toEqual([false, true, true, false, true]);
  });

  it('plants nothing while models learn, and nothing close to another on the same route', () => {
    fc.assert(
      fc.property(fc.nat(1000), (seed) => {
        const { planted } = new City(seed, 60);
        expect(planted.length).toBeGreaterThan(10);
        for (const [i, { route, from, to }] of planted.entries()) {
          expect(from).toBeGreaterThanOrEqual(CALM_DAYS * STEPS_PER_DAY);
          const after = planted.slice(i + 1).find((other) => other.route === route);
          if (after !== undefined) expect(after.from - to).toBeGreaterThan(STEPS_PER_DAY);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('goes at walking pace where an accident is, and as before an hour later', () => {
    const city = new City(1, 60);
    const accident = city.planted.find(({ kind }) => kind === 'accident') ?? never();
    const route = ROUTES.find(({ id }) => id === accident.route) ?? never();
    const middle = Math.floor((accident.from + accident.to) / 2);
    // The same hour of the week, of a week before anything was planted.
    const weeks = Math.floor((middle - at(7, 0)) / (7 * STEPS_PER_DAY));
    const usual = city.speed(route, middle - weeks * 7 * STEPS_PER_DAY);
    expect(city.speed(route, middle)).toBeLessThan(0.65 * usual);
    const later = accident.to + 12;
    expect(city.speed(route, later)).toBeGreaterThan(
      0.65 * city.speed(route, later - weeks * 7 * STEPS_PER_DAY),
    );
  });

  it('tells times in seconds and drives in minutes', () => {
    expect(new Date(1000 * secondOf(at(1, 8))).toISOString()).toBe('2025-01-07T08:00:00.000Z');
    // 9.3 miles at 31 mph take 18 minutes.
    expect(travelMinutes(INBOUND, 31)).toBe(18);
  });
});
