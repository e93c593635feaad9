import { describe, expect, it } from 'vitest';
import { checkpointLost, failedAtRow, failureOf, notBuilt, unknownRevision } from './model-failure.ts';

describe('failureOf', () => {
  it('reads what the sentences say', () => {
    expect(failureOf(null)).toBeNull();
    expect(failureOf(failedAtRow(17, 'RangeError: the raw score 2 is not in 0..1'))).toEqual({
      reason: 'row',
      rowid: 17,
    });
    expect(failureOf(checkpointLost(1))).toEqual({ reason: 'checkpoint_lost', rowid: null });
    expect(failureOf(unknownRevision(9))).toEqual({ reason: 'unknown_revision', rowid: null });
    expect(failureOf(notBuilt('TypeError: x'))).toEqual({ reason: 'not_built', rowid: null });
    expect(failureOf('collector said no')).toEqual({ reason: 'other', rowid: null });
  });
});
