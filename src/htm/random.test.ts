import { describe, expect, it } from 'vitest';
import { Random } from './random.ts';

/** Expected values: model reference, section 12.1 (taken from the compiled original). */
describe('Random', () => {
  const raws = (seed: number, n: number) => {
    const random = Random.seeded(seed);
    return Array.from({ length: n }, () => random.raw());
  };

  it('gives the raw outputs of the original', () => {
    expect(raws(42, 6)).toEqual([91716700, 729225899, 1505223544, 930964946, 467588745, 563461275]);
    expect(raws(1956, 4)).toEqual([2108973445, 1003922628, 2080764699, 1333809478]);
    expect(raws(1960, 4)).toEqual([889696819, 252451760, 383714562, 859261317]);
  });

  it('gives its 64-bit and real draws', () => {
    const one = Random.seeded(1);
    expect([one.uint64(), one.uint64()]).toEqual([3723745761376425000n, 7464235991977222558n]);
    const pooler = Random.seeded(1956);
    expect([pooler.real(), pooler.real(), pooler.real()]).toEqual([
      0.6436232152350563, 0.3174817575955835, 0.30313835251459764,
    ]);
  });

  it('shuffles, samples and bounds as it does', () => {
    const four = [1, 2, 3, 4];
    Random.seeded(42).shuffle(four);
    expect(four).toEqual([1, 4, 3, 2]);
    const ten = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    Random.seeded(42).shuffle(ten);
    expect(ten).toEqual([0, 9, 2, 5, 7, 3, 8, 4, 6, 1]);
    const random = Random.seeded(42);
    const two: number[] = [];
    random.sample([1, 2, 3, 4], 4, 2, two);
    const all: number[] = [];
    random.sample([1, 2, 3, 4], 4, 4, all);
    expect([two, all]).toEqual([
      [1, 3],
      [1, 2, 3, 4],
    ]);
    const bounded = Random.seeded(42);
    expect(Array.from({ length: 5 }, () => bounded.below(32))).toEqual([28, 11, 24, 18, 9]);
  });

  it('continues from its state', () => {
    const state = new Uint32Array(Random.STATE_WORDS);
    const random = Random.seeded(42, state);
    random.raw();
    const copy = new Random(state.slice());
    expect(copy.raw()).toBe(random.raw());
  });

  it('refuses a seed that would be drawn from the clock', () => {
    expect(() => Random.seeded(0)).toThrow(RangeError);
  });
});
