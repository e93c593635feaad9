import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StageLeases } from '../store/leases.ts';
import { balance } from './balance.ts';

/** One letter a partition: who owns it; `.` for nobody. */
function stage(members: string, owners: string): StageLeases {
  return {
    members: Array.from(members),
    leases: Array.from(owners, (owner, partition) => ({
      partition,
      epoch: 1,
      owner: owner === '.' ? null : owner,
    })),
  };
}

const partitionsOf = (leases: readonly { partition: number }[]) => leases.map(({ partition }) => partition);

/** What each member would do, as partitions. */
function moves(members: string, owners: string): Record<string, { take: number[]; give: number[] }> {
  return Object.fromEntries(
    Array.from(members, (me) => {
      const { take, give } = balance(stage(members, owners), me);
      return [me, { take: partitionsOf(take), give: partitionsOf(give) }];
    }),
  );
}

describe('balance', () => {
  it('gives a single member everything', () => {
    expect(moves('a', '....')).toEqual({ a: { take: [0, 1, 2, 3], give: [] } });
  });

  it('gives members that start together different partitions', () => {
    expect(moves('abc', '.......')).toEqual({
      a: { take: [0, 1, 2], give: [] },
      b: { take: [3, 4], give: [] },
      c: { take: [5, 6], give: [] },
    });
  });

  it('lets those that have too much hand it over to one that joins', () => {
    expect(moves('abc', 'aaaabbbb')).toEqual({
      a: { take: [], give: [3] },
      b: { take: [], give: [3 + 4] },
      c: { take: [], give: [] },
    });
    expect(moves('abc', 'aaa.bbb.').c).toEqual({ take: [3, 7], give: [] });
  });

  it('shares what a dead member had among the others, who keep what they have', () => {
    expect(moves('ac', 'aabbcc')).toEqual({ a: { take: [2], give: [] }, c: { take: [3], give: [] } });
  });

  it('moves nothing while the shares differ by one at most', () => {
    for (const owners of ['aaabbcc', 'aabbbcc', 'aabbccc']) {
      for (const { take, give } of Object.values(moves('abc', owners)))
        expect([take, give]).toEqual([[], []]);
    }
  });

  it('leaves members without a partition if there are more of them than partitions', () => {
    expect(moves('abc', 'ab')).toMatchObject({ c: { take: [], give: [] } });
    expect(moves('abc', '..')).toMatchObject({ a: { take: [0] }, b: { take: [1] }, c: { take: [] } });
  });

  it('comes to rest with even shares, from any state, and moves no more than it must', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('.', 'a', 'b', 'c', 'd', 'x'), { minLength: 1, maxLength: 40 }),
        fc.subarray(['a', 'b', 'c', 'd'], { minLength: 1 }),
        (owners, members) => {
          const names = members.join('');
          const state: string[] = [...owners];
          const before: string[] = [...owners];
          for (const phase of ['give', 'take'] as const) {
            const planned = moves(names, state.join(''));
            for (const [me, plan] of Object.entries(planned)) {
              for (const partition of plan[phase]) {
                // Two never reach for the same one, and nobody takes what a living one has.
                expect(members.includes(state[partition] ?? '.') && phase === 'take').toBe(false);
                state[partition] = phase === 'give' ? '.' : me;
              }
            }
          }
          const count = (member: string) => state.filter((owner) => owner === member).length;
          const counts = members.map(count);
          expect(counts.reduce((sum, one) => sum + one)).toBe(state.length);
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
          // Whoever has no more than the smaller share keeps all of it.
          const share = Math.floor(state.length / members.length);
          for (const member of members) {
            const had = before.flatMap((owner, partition) => (owner === member ? [partition] : []));
            if (had.length <= share) for (const partition of had) expect(state[partition]).toBe(member);
          }
          for (const { take, give } of Object.values(moves(names, state.join(''))))
            expect([take, give]).toEqual([[], []]);
        },
      ),
    );
  });
});
