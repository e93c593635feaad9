import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnomalyBars, BAR_SECONDS, type BarPeriod } from './anomaly-bars.ts';

/** Begins a bar of each kind: 25,200 times 67,460. */
const START = 1_699_992_000;
const PERIODS = Object.keys(BAR_SECONDS) as BarPeriod[];

describe('bars of anomaly', () => {
  it('are the highest of each stretch, counted from the epoch', () => {
    const bars = AnomalyBars.decode(null);
    bars.append(START, 0.1);
    bars.append(START + 149, 0.7);
    bars.append(START + 150, 0.2);
    bars.append(START + 3600, 0.5);
    const hour = bars.of('hour', START + 3600);
    expect([hour.length, hour[23], hour[0], hour[1]]).toEqual([24, 0.5, 0.2, null]);
    const day = bars.of('day', START + 3601);
    expect([day[23], day[22], day[21]]).toEqual([0.5, 0.7, null]);
    const week = bars.of('week', START + 25_199);
    expect([week[23], week[22]]).toEqual([0.7, null]);
    // An hour later nothing of it is left in the hour, and all in the day.
    expect(bars.of('hour', START + 7300)).toEqual(Array(24).fill(null));
    expect(bars.of('day', START + 7300)[21]).toBe(0.7);
  });

  it('keep the levels at which colours change exactly', () => {
    for (const level of [0, 0.4, 0.5, 1]) {
      const bars = AnomalyBars.decode(null);
      bars.append(START, level);
      expect(bars.of('day', START)[23]).toBe(level);
    }
    const below = AnomalyBars.decode(null);
    below.append(START, 0.4999999);
    expect(below.of('day', START)[23]).toBeLessThan(0.5);
  });

  it('are those that all rows give, however often they were saved between', () => {
    const row = fc.record({
      gap: fc.oneof(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 900_000 })),
      level: fc.integer({ min: 0, max: 250 }),
    });
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1, maxLength: 80 }),
        fc.constantFrom(...PERIODS),
        (given, period) => {
          let timestamp = START;
          const rows = given.map(({ gap, level }) => ({ timestamp: (timestamp += gap), level: level / 250 }));
          let bars = AnomalyBars.decode(null);
          for (const { timestamp: time, level } of rows) {
            bars.append(time, level);
            bars = AnomalyBars.decode(bars.encode());
          }
          const seconds = BAR_SECONDS[period];
          const last = Math.floor(timestamp / seconds);
          const expected = Array.from({ length: 24 }, (_, i) => {
            const own = rows.filter((one) => Math.floor(one.timestamp / seconds) === last - 23 + i);
            return own.length === 0 ? null : Math.max(...own.map(({ level }) => level));
          });
          expect(bars.of(period, timestamp)).toEqual(expected);
        },
      ),
    );
  });

  it('of another version, or damaged, are none', () => {
    for (const bytes of [new Uint8Array(0), new Uint8Array(233), Uint8Array.of(2, 1)]) {
      expect(AnomalyBars.decode(bytes).of('week', START)).toEqual(Array(24).fill(null));
    }
  });
});
