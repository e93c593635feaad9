import type { Series } from './nab.ts';

/** A small seeded generator for test data (mulberry32): the same on every machine. @returns numbers in [0, 1) */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A daily cycle with noise and a few spikes, one value every 5 minutes; different for every seed. */
export function dailySeries(name: string, rows: number, seed: number): Series {
  const random = seededRandom(seed);
  const phase = random() * 288;
  const timestamps = Array.from({ length: rows }, (_, i) => 1_600_000_200 + 300 * i);
  const values = timestamps.map((_, i) => {
    const cycle = 50 + 30 * Math.sin((2 * Math.PI * (i + phase)) / 288);
    const spike = random() < 0.005 ? 60 : 0;
    return Math.round((cycle + 8 * random() + spike) * 100) / 100;
  });
  return { name, timestamps, values };
}
