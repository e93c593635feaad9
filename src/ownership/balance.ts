import type { Lease, StageLeases } from '../store/leases.ts';

/** What one member is to do so that all have their share. */
export interface Moves {
  /** Free leases to take. */
  readonly take: readonly Lease[];
  /** Of its own, those to hand over. */
  readonly give: readonly Lease[];
}

/**
 * The share of each of n living members is P/n partitions, rounded up for those that hold most already, so that as few
 * as possible change hands. Every member computes the same from the same leases, and of the free ones each takes others.
 * What two take all the same, because they saw different states, goes to the first.
 * @param me one of the members.
 */
export function balance({ members, leases }: StageLeases, me: string): Moves {
  const held = new Map(members.map((member) => [member, [] as Lease[]]));
  const free: Lease[] = [];
  for (const lease of leases) {
    const mine = lease.owner === null ? undefined : held.get(lease.owner);
    (mine ?? free).push(lease);
  }
  const order = [...held].sort(([a, ofA], [b, ofB]) => ofB.length - ofA.length || (a < b ? -1 : 1));
  const share = Math.floor(leases.length / members.length);
  const larger = leases.length % members.length;
  let start = 0;
  for (const [index, [member, own]] of order.entries()) {
    const due = index < larger ? share + 1 : share;
    if (member !== me) start += Math.max(0, due - own.length);
    else return { take: free.slice(start, start + Math.max(0, due - own.length)), give: own.slice(due) };
  }
  return { take: [], give: [] };
}
