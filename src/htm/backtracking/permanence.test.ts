import { describe, expect, it } from 'vitest';
import type { BacktrackingMemoryParameters } from './parameters.ts';
import { permanenceScale } from './permanence.ts';
import type { PermanenceScale } from './permanence.ts';

const PRODUCTION: BacktrackingMemoryParameters = {
  columnCount: 2048,
  cellsPerColumn: 32,
  activationThreshold: 13,
  minThreshold: 10,
  newSynapseCount: 20,
  initialPerm: 0.21,
  connectedPerm: 0.5,
  permanenceInc: 0.1,
  permanenceDec: 0.1,
  permanenceMax: 1,
  maxSegmentsPerCell: 128,
  maxSynapsesPerSegment: 32,
  pamLength: 3,
  maxSeqLength: 32,
  maxInfBacktrack: 10,
  maxLrnBacktrack: 5,
  seed: 1960,
};

const up = (scale: PermanenceScale, stored: number) => scale.moves[256 + stored];
const down = (scale: PermanenceScale, stored: number) => scale.moves[stored];

/** Model reference, section 11, item 3; kernel notes, item 4. */
describe('permanenceScale with the production parameters', () => {
  const scale = permanenceScale(PRODUCTION);

  it('ranks the 23 values that a synapse can take', () => {
    expect([scale.coded, scale.most]).toEqual([true, 23]);
    const values = Array.from({ length: 23 }, (_, i) => scale.value(i + 1));
    expect(values).toEqual([...values].sort((a, b) => a - b));
    expect(values.at(-1)).toBe(1);
  });

  it('removes a fresh synapse with the third decrement', () => {
    const once = down(scale, scale.initial);
    const twice = down(scale, once);
    expect([scale.initial, once, twice].map((stored) => scale.value(stored))).toEqual([
      Math.fround(0.21),
      Math.fround(Math.fround(0.21) - Math.fround(0.1)),
      Math.fround(Math.fround(Math.fround(0.21) - Math.fround(0.1)) - Math.fround(0.1)),
    ]);
    expect(down(scale, twice)).toBe(0);
  });

  it('disconnects a full one with the fifth and removes it with the tenth', () => {
    let stored = scale.most;
    const path = Array.from({ length: 10 }, () => (stored = down(scale, stored)));
    expect(path[3]).toBeGreaterThanOrEqual(scale.connected);
    expect(path[4]).toBeLessThan(scale.connected);
    expect(scale.value(path[4])).toBeCloseTo(0.4999999106, 10);
    expect(path[8]).toBeGreaterThan(0);
    expect(path[9]).toBe(0);
  });

  it('connects a fresh synapse with the third increment and ends at 1', () => {
    let stored = scale.initial;
    const path = Array.from({ length: 12 }, () => (stored = up(scale, stored)));
    expect(path.findIndex((rank) => rank >= scale.connected)).toBe(2);
    expect(scale.value(path[11])).toBe(1);
  });
});

describe('permanenceScale', () => {
  it('keeps binary32 values when steps do not cancel', () => {
    const scale = permanenceScale({ ...PRODUCTION, permanenceInc: 0.0371, permanenceDec: 0.0137 });
    expect(scale).toMatchObject({ coded: false, initial: Math.fround(0.21), connected: 0.5, most: 1 });
    expect(scale.value(0.25)).toBe(0.25);
  });

  it('ranks a threshold above every value behind them all', () => {
    const scale = permanenceScale({ ...PRODUCTION, connectedPerm: 0.9, permanenceMax: 0.5 });
    expect(scale.connected).toBe(scale.most + 1);
  });
});
