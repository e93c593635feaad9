import type { BacktrackingMemoryParameters } from './parameters.ts';

/**
 * How permanences are stored and moved. Starting from one value and adding or subtracting two constants in binary32,
 * a synapse can take only a small set of values when increments and decrements cancel (23 with the production
 * parameters): then a permanence is one byte, the rank of its value, and both moves are table look-ups. Otherwise it
 * is the binary32 value itself. Order is the same in both forms, so comparisons need not know which one it is.
 * In both forms 0 means that the synapse is gone.
 */
export interface PermanenceScale {
  /** Bytes or values. */
  readonly coded: boolean;
  /** A new synapse's permanence. */
  readonly initial: number;
  /** Permanences from here on are connected. */
  readonly connected: number;
  /** The largest stored permanence. */
  readonly most: number;
  /** By rank: the rank after a decrement (0: removed), then, from 256 on, after an increment; only used when coded. */
  readonly moves: Uint8Array;
  /** Binary32 steps and limit; only used when not coded. */
  readonly increment: number;
  readonly decrement: number;
  readonly limit: number;
  /** The binary32 value behind a stored permanence. */
  value(stored: number): number;
}

/** Chooses the form that the parameters allow. Model reference, sections 4.9 and 11. */
export function permanenceScale(p: BacktrackingMemoryParameters): PermanenceScale {
  const increment = Math.fround(p.permanenceInc);
  const decrement = Math.fround(p.permanenceDec);
  const limit = Math.fround(p.permanenceMax);
  const initial = Math.fround(p.initialPerm);
  const connected = Math.fround(p.connectedPerm);
  const raise = (value: number) => Math.min(Math.fround(value + increment), limit);
  const lower = (value: number) => Math.max(Math.fround(value - decrement), 0);

  const values = closure(initial, raise, lower);
  if (values === undefined) {
    return {
      coded: false,
      initial,
      connected,
      most: limit,
      moves: new Uint8Array(0),
      increment,
      decrement,
      limit,
      value: (stored) => stored,
    };
  }
  const rank = (value: number) => (value === 0 ? 0 : values.indexOf(value) + 1);
  const moves = new Uint8Array(512);
  values.forEach((value, i) => {
    moves[i + 1] = rank(lower(value));
    moves[256 + i + 1] = rank(raise(value));
  });
  return {
    coded: true,
    initial: rank(initial),
    connected: values.filter((value) => value < connected).length + 1,
    most: values.length,
    moves,
    increment,
    decrement,
    limit,
    value: (stored) => values[stored - 1],
  };
}

/** All values reachable from `start`, ascending and without 0, or undefined if they are more than a byte can rank. */
function closure(
  start: number,
  raise: (value: number) => number,
  lower: (value: number) => number,
): number[] | undefined {
  const known = new Set([start]);
  // A Set is walked in insertion order, and entries added on the way are visited too.
  for (const value of known) {
    if (known.size > MAX_RANKS) return undefined;
    for (const next of [raise(value), lower(value)]) {
      if (next > 0) known.add(next);
    }
  }
  return [...known].sort((a, b) => a - b);
}

const MAX_RANKS = 255;
