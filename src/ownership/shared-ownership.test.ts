import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryLeases } from '../../test/conformance/fakes/memory-leases.ts';
import { systemClock } from '../clock.ts';
import type { OwnershipWorker } from './ownership.ts';
import { OwnershipTelemetry } from './ownership-telemetry.ts';
import { SharedOwnership } from './shared-ownership.ts';

const LEASE_MS = 5_000;

/** The time of all members and of the store. A member that is stopped (SIGSTOP) runs no timers, but time goes on for it. */
let leases: MemoryLeases;
const members: Member[] = [];

class Member implements OwnershipWorker {
  readonly told: string[] = [];
  readonly ownership: SharedOwnership;
  readonly registry = new Registry();
  /** What a handover waits for. */
  finishing: Promise<unknown> = Promise.resolve();

  constructor(name: string) {
    this.ownership = new SharedOwnership({
      stage: 'scheduler',
      owner: name,
      leases,
      leaseMs: LEASE_MS,
      log: pino({ level: 'silent' }),
      telemetry: new OwnershipTelemetry(this.registry),
      clock: { ...systemClock, now: () => leases.nowMs },
    });
    this.ownership.assign(this);
    members.push(this);
  }

  static async start(name: string): Promise<Member> {
    const member = new Member(name);
    await member.ownership.start();
    return member;
  }

  taken(): void {
    this.told.push('taken');
  }
  lost(partitions: ReadonlySet<number>): void {
    this.told.push(`lost ${[...partitions].join()}`);
  }
  async handOver(partitions: ReadonlySet<number>): Promise<void> {
    this.told.push(`hand over ${[...partitions].join()}`);
    await this.finishing;
  }
  epochFor(partition: number): number | null {
    return this.ownership.epochFor({ metricId: `m${partition}`, partition });
  }
  async changes(change: string): Promise<number> {
    const values = (await this.registry.getSingleMetric('htmengine_ownership_changes_total')?.get())?.values;
    return values?.find(({ labels }) => labels.change === change)?.value ?? 0;
  }
}

/** Lets time pass for everybody. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    leases.nowMs += 100;
    await vi.advanceTimersByTimeAsync(100);
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  leases = new MemoryLeases(6);
});
afterEach(async () => {
  leases.cutOff.clear();
  for (const { ownership } of members.splice(0)) await ownership.stop();
  vi.useRealTimers();
});

describe('SharedOwnership', () => {
  it('takes everything when it is alone, and says so', async () => {
    const a = await Member.start('a');
    expect(leases.owners).toBe('aaaaaa');
    expect(a.told).toEqual(['taken']);
    expect(a.ownership.partitions).toEqual([0, 1, 2, 3, 4, 5]);
    expect(a.epochFor(3)).toBe(2);
    expect(await a.changes('taken')).toBe(6);
  });

  it('hands over to one that joins what is due to it, when what was begun is finished, within seconds', async () => {
    const a = await Member.start('a');
    const { promise, resolve } = Promise.withResolvers<unknown>();
    a.finishing = promise;
    const b = await Member.start('b');
    await pass(1_500);
    expect(a.told.at(-1)).toBe('hand over 3,4,5');
    // Nothing is begun in them any more, but they are not the other's before what was begun is finished.
    expect(a.epochFor(3)).toBeNull();
    expect(a.ownership.mayOwn('m3')).toBe(false);
    expect(a.ownership.partitions).toEqual([0, 1, 2]);
    expect(leases.owners).toBe('aaaaaa');
    resolve(null);
    await pass(1_500);
    expect(leases.owners).toBe('aaabbb');
    expect(b.told).toContain('taken');
    expect(b.epochFor(3)).toBe(4);
    expect(a.epochFor(0)).toBe(2);
    expect(await a.changes('released')).toBe(3);
    await pass(10_000);
    expect(leases.owners).toBe('aaabbb');
  });

  it('takes over from one that is cut off or dead within 10 s, after that one has stopped', async () => {
    const a = await Member.start('a');
    const b = await Member.start('b');
    await pass(3_000);
    expect(leases.owners).toBe('aaabbb');
    leases.cutOff.add('a');
    // By its own clock it stops before the other may begin.
    for (let waited = 0; leases.owners.includes('a'); waited += 100) {
      await pass(100);
      expect(waited).toBeLessThan(10_000);
      if (!leases.owners.includes('a')) expect(a.epochFor(0)).toBeNull();
    }
    expect(b.epochFor(0)).toBe(3);
    expect(a.ownership.partitions).toEqual([]);
    // It finds out that it has lost them as soon as it is back, and gets its share again.
    leases.cutOff.delete('a');
    await pass(1_500);
    expect(a.told).toContain('lost 0,1,2');
    expect(await a.changes('lost')).toBe(3);
    await pass(3_000);
    expect(Array.from(leases.owners).sort().join('')).toBe('aaabbb');
  });

  it('goes on under the same epochs if nobody took over while it was cut off', async () => {
    const a = await Member.start('a');
    leases.cutOff.add('a');
    await pass(6_000);
    expect(a.epochFor(1)).toBeNull();
    expect(a.ownership.mayOwn('m1')).toBe(false);
    leases.cutOff.delete('a');
    await pass(1_500);
    expect(a.epochFor(1)).toBe(2);
    // What came meanwhile is to be looked for.
    expect(a.told).toEqual(['taken', 'taken']);
  });

  it('begins nothing after it was stopped for longer than its leases last, though it has not heard of that', async () => {
    const a = await Member.start('a');
    leases.nowMs += LEASE_MS;
    expect(a.epochFor(0)).toBeNull();
    expect(a.ownership.partitions).toEqual([]);
  });

  it('gives everything up when it stops, and others have it at their next renewal', async () => {
    const a = await Member.start('a');
    await Member.start('b');
    await pass(3_000);
    await a.ownership.stop();
    expect(leases.owners).toBe('...bbb');
    await pass(1_100);
    expect(leases.owners).toBe('bbbbbb');
  });

  it('keeps what it has while others come and go, with as few changes of hands as there can be', async () => {
    const names = ['a', 'b', 'c'];
    for (const name of names) await Member.start(name);
    await pass(5_000);
    const before = leases.owners;
    expect(Array.from(before).sort().join('')).toBe('aabbcc');
    leases.cutOff.add('c');
    await pass(8_000);
    for (const [partition, owner] of Array.from(before).entries()) {
      if (owner !== 'c') expect(leases.owners[partition]).toBe(owner);
    }
    expect(Array.from(leases.owners).sort().join('')).toBe('aaabbb');
  });

  it('lets a metric pass whose partition it does not know yet', async () => {
    const a = await Member.start('a');
    expect(a.ownership.mayOwn('never seen')).toBe(true);
  });
});
