import { describe, expect, it } from 'vitest';
import { epochOfLocal, isFreeDay, localTime } from '../../examples/traffic/new-york-time.ts';
import { lengthMiles, ROUTES, travelSeconds } from '../../examples/traffic/routes.ts';
import { TrafficSimulation } from '../../examples/traffic/simulation.ts';

const DAY = 86_400;
/** 2026-03-02 00:00 in New York, a Monday. */
const MONDAY = Date.UTC(2026, 2, 2, 5) / 1000;
const ROUTE = ROUTES.find(({ id }) => id === 'fdr-south') ?? never();
const at = (day: number, hour: number) => MONDAY + day * DAY + hour * 3600;

function never(): never {
  throw new Error('there is no such route');
}

/** Mean speed of an hour over twenty seeds, so that neither noise nor an incident decides. */
function meanSpeed(begin: number): number {
  const speeds = Array.from({ length: 20 }, (_, seed) => {
    const simulation = new TrafficSimulation(seed);
    return Array.from({ length: 12 }, (__, step) => simulation.reading(ROUTE, begin + step * 300).speed);
  }).flat();
  return speeds.reduce((sum, speed) => sum + speed, 0) / speeds.length;
}

describe('clocks of New York', () => {
  it('goes over to daylight saving time and back', () => {
    expect(epochOfLocal(Date.UTC(2026, 0, 15, 12) / 1000)).toBe(Date.UTC(2026, 0, 15, 17) / 1000);
    expect(epochOfLocal(Date.UTC(2026, 6, 15, 12) / 1000)).toBe(Date.UTC(2026, 6, 15, 16) / 1000);
    // 2026-11-01 01:30 comes twice: the first is meant.
    expect(epochOfLocal(Date.UTC(2026, 10, 1, 1, 30) / 1000)).toBe(Date.UTC(2026, 10, 1, 5, 30) / 1000);
    // 2026-03-08 02:30 does not come at all.
    expect(epochOfLocal(Date.UTC(2026, 2, 8, 2, 30) / 1000)).toBe(Date.UTC(2026, 2, 8, 7, 30) / 1000);
    expect(localTime(Date.UTC(2026, 6, 15, 16, 30) / 1000).hour).toBe(12.5);
  });

  it.each([
    ['2026-01-19', true], // third Monday of January
    ['2026-05-25', true], // last Monday of May
    ['2026-05-18', false],
    ['2026-07-04', true],
    ['2026-09-07', true],
    ['2026-11-26', true], // fourth Thursday of November
    ['2026-11-25', false],
    ['2026-11-28', true], // a Saturday
    ['2026-03-01', true], // a Sunday
    ['2026-03-02', false],
  ])('%s is free: %s', (date, isFree) => {
    expect(isFreeDay(Date.parse(date) / (DAY * 1000))).toBe(isFree);
  });
});

describe('the simulated traffic', () => {
  it('is the same for the same seed, whatever was asked before, and another for another', () => {
    const times = Array.from({ length: 300 }, (_, step) => MONDAY + step * 300);
    const forwards = new TrafficSimulation(7);
    const backwards = new TrafficSimulation(7);
    const first = times.map((time) => forwards.reading(ROUTE, time));
    const second = times.toReversed().map((time) => backwards.reading(ROUTE, time));
    expect(second.toReversed()).toEqual(first);
    const other = new TrafficSimulation(8);
    expect(times.map((time) => other.reading(ROUTE, time))).not.toEqual(first);
  });

  it('has its rush on working mornings, and neither at weekends nor on holidays', () => {
    const night = meanSpeed(at(1, 3));
    expect(meanSpeed(at(1, 8))).toBeLessThan(0.65 * night);
    expect(meanSpeed(at(1, 17))).toBeLessThan(0.85 * night);
    expect(meanSpeed(at(5, 8))).toBeGreaterThan(0.9 * night);
    // 2026-02-16, the third Monday of February.
    expect(meanSpeed(at(-14, 8))).toBeGreaterThan(0.9 * night);
  });

  it('plants incidents and roadworks, and they slow a route down while they last', () => {
    const simulation = new TrafficSimulation(3);
    const planted = ROUTES.flatMap((route) => simulation.disturbances(route, MONDAY, MONDAY + 28 * DAY));
    const incidents = planted.filter(({ kind }) => kind === 'incident');
    // 12 routes, 28 days, one in ten: 33.6 are expected, with a standard deviation of 5.5.
    expect(incidents.length).toBeGreaterThan(15);
    expect(incidents.length).toBeLessThan(53);
    expect(planted.some(({ kind }) => kind === 'roadworks')).toBe(true);
    for (const { from, to, remaining } of incidents) {
      expect(to - from).toBeGreaterThanOrEqual(35 * 60);
      expect(to - from).toBeLessThanOrEqual(110 * 60);
      expect(remaining).toBeLessThan(0.56);
    }
  });

  it('takes an incident that people plant', () => {
    const time = at(2, 13);
    const simulation = new TrafficSimulation(3);
    const before = simulation.reading(ROUTE, time + 1800).speed;
    simulation.plant(ROUTE, time);
    expect(simulation.reading(ROUTE, time + 1800).speed / before).toBeCloseTo(0.25, 2);
    expect(simulation.reading(ROUTE, time - 300).speed).toBe(
      new TrafficSimulation(3).reading(ROUTE, time - 300).speed,
    );
  });

  it('tells travel times that follow from length and speed', () => {
    // A tenth of a degree of latitude is 6.905 miles.
    const straight = {
      points: [
        [40, -74],
        [40.1, -74],
      ] as const,
    };
    expect(lengthMiles(straight)).toBeCloseTo(6.905, 9);
    expect(travelSeconds(straight, 30)).toBe(829);
    expect(travelSeconds(straight, 0)).toBe(24_858);
  });
});
