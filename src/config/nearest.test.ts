import { describe, expect, it } from 'vitest';
import { nearest } from './nearest.ts';

describe('the name that was probably meant', () => {
  it.each([
    ['wrokers', 'workers'],
    ['worker', 'workers'],
    ['slice_rows', 'sliceRows'],
    ['SLICEROWS', 'sliceRows'],
    ['sweepsMs', 'sweepMs'],
    ['memoryBudget', null],
    ['xy', null],
    ['', null],
  ])('of %j is %j', (name, meant) => {
    expect(nearest(name, ['workers', 'sliceRows', 'sweepMs', 'memoryBudgetBytes'])).toBe(meant);
  });

  it('is the nearest of several', () => {
    expect(nearest('prot', ['plots', 'port', 'part'])).toBe('port');
  });
});
