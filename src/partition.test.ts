import { expect, it } from 'vitest';
import { partitionOf } from './partition.ts';

// First four bytes of the names' SHA-256 by sha256sum: ba7816bf, 4a99557e, 36bf2554.
it.each([
  ['abc', 16, 0xba7816bf % 16],
  ['abc', 7, 0xba7816bf % 7],
  ['é', 16, 0x4a99557e % 16],
  ['🦄', 13, 0x36bf2554 % 13],
])('puts %s of %i partitions where its hash says', (name, partitions, expected) => {
  expect(partitionOf(name, partitions)).toBe(expected);
});
