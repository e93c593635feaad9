import { expect, it } from 'vitest';
import { memoryShare } from './memory-share.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

it('is half of the memory of a machine without limits', () => {
  expect(memoryShare(24 * GIB, 0, 1)).toBe(12 * GIB);
  // What Linux says of a control group (v1) that has no limit.
  expect(memoryShare(24 * GIB, 9_223_372_036_854_771_712, 1)).toBe(12 * GIB);
});

it('is half of what a container is allowed', () => {
  expect(memoryShare(24 * GIB, GIB, 1)).toBe(512 * MIB);
});

it('leaves room for the rest of the process and its workers', () => {
  expect(memoryShare(24 * GIB, 640 * MIB, 1)).toBe(192 * MIB);
  expect(memoryShare(24 * GIB, GIB, 3)).toBe(384 * MIB);
});

it('is never so small that no model would fit', () => {
  expect(memoryShare(256 * MIB, 0, 1)).toBe(64 * MIB);
});
