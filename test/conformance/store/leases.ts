import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Lease } from '../../../src/store/leases.ts';
import { CONSUMER, expectRefused, samples, type StoreFixture } from './fixture.ts';

const LONG_MS = 60_000;

/** Several processes share the work of a stage. */
export function leaseTests(current: () => StoreFixture): void {
  describe('leases', () => {
    /** All partitions of a stage as they are. */
    const leasesOf = async (fixture: StoreFixture) => (await fixture.store.leases.look('scheduler')).leases;

    it('knows who lives until the time that was promised is up, by the database’s clock', async () => {
      const { leases } = current().store;
      await leases.renew('scheduler', 'b', LONG_MS);
      const { members } = await leases.renew('scheduler', 'a', 300);
      expect(members).toEqual(['a', 'b']);
      expect((await leases.renew('anomaly', 'c', LONG_MS)).members).toEqual(['c']);
      // Who only looks is no member.
      expect((await leases.look('publishing')).members).toEqual([]);
      const died = async () => (await leases.renew('scheduler', 'b', LONG_MS)).members.length === 1;
      while (!(await died())) await delay(20);
      // Who was taken for dead may live again.
      expect((await leases.renew('scheduler', 'a', LONG_MS)).members).toEqual(['a', 'b']);
    });

    it('has a lease for every partition, whoever took it first', async () => {
      const { leases } = current().store;
      const { leases: before } = await leases.renew('scheduler', 'a', LONG_MS);
      expect(before.map(({ partition }) => partition)).toEqual(Array.from({ length: 16 }, (_, i) => i));
      const wanted = before.slice(2, 5);
      const taken = await leases.acquire('scheduler', 'a', wanted);
      expect(taken).toEqual(wanted.map(({ partition, epoch }) => ({ partition, epoch: epoch + 1 })));
      // The other saw the same state, and comes too late.
      expect(await leases.acquire('scheduler', 'b', before.slice(4, 6))).toEqual([
        { partition: 5, epoch: (before[5]?.epoch ?? 0) + 1 },
      ]);
      const owners = (await leasesOf(current())).slice(2, 6).map(({ owner }) => owner);
      expect(owners).toEqual(['a', 'a', 'a', 'b']);
    });

    it('lets exactly one of those that reach for a partition at the same time have it', async () => {
      const { leases } = current().store;
      const wanted = await leasesOf(current());
      const got = await Promise.all(
        ['a', 'b', 'c'].map((owner) => leases.acquire('scheduler', owner, wanted)),
      );
      expect(got.flat().length).toBe(16);
      expect(new Set(got.flat().map(({ partition }) => partition)).size).toBe(16);
    });

    it('raises the epoch of each partition of each stage by itself, with every change of hands', async () => {
      const { leases } = current().store;
      const at = async () => (await leasesOf(current()))[3] ?? never();
      const first = await at();
      const [held] = await leases.acquire('scheduler', 'a', [first]);
      await leases.release('scheduler', 'a', [held ?? never()]);
      expect(await at()).toEqual({ partition: 3, owner: null, epoch: first.epoch + 2 });
      await leases.acquire('scheduler', 'b', [await at()]);
      expect(await at()).toEqual({ partition: 3, owner: 'b', epoch: first.epoch + 3 });
      expect((await leasesOf(current()))[4]?.epoch).toBe(first.epoch);
      expect((await leases.renew('anomaly', 'a', LONG_MS)).leases[3]?.epoch).toBe(first.epoch);
    });

    it('takes nothing from another who gives up what he has no longer', async () => {
      const { leases } = current().store;
      const [first = never()] = await leasesOf(current());
      const held = await leases.acquire('scheduler', 'a', [first]);
      const taken = await leases.acquire('scheduler', 'b', held);
      await leases.release('scheduler', 'a', held);
      await leases.release('scheduler', 'a', taken);
      await leases.leave('scheduler', 'a');
      expect((await leasesOf(current()))[0]).toEqual({ ...taken[0], owner: 'b' });
    });

    it('lets a member leave with all it has on that stage', async () => {
      const { leases } = current().store;
      await leases.renew('scheduler', 'a', LONG_MS);
      await leases.acquire('scheduler', 'a', (await leasesOf(current())).slice(0, 2));
      await leases.acquire('anomaly', 'a', (await leases.renew('anomaly', 'a', LONG_MS)).leases.slice(0, 1));
      await leases.leave('scheduler', 'a');
      const { members, leases: left } = await leases.renew('scheduler', 'b', LONG_MS);
      expect(members).toEqual(['b']);
      expect(left.every(({ owner }) => owner !== 'a')).toBe(true);
      expect((await leases.renew('anomaly', 'b', LONG_MS)).leases[0]?.owner).toBe('a');
    });

    it('refuses T1, T2 and T3 of who lost the partition, from the moment another took it', async () => {
      const fixture = current();
      const { log, leases, catalogue } = fixture.store;
      const metricId = await fixture.monitored('a', 3);
      const partition = (await catalogue.getMetric(metricId))?.partition ?? never();
      /** Takes the partition of a stage. @returns under which epoch. */
      async function take(stage: 'scheduler' | 'anomaly' | 'publishing', owner: string): Promise<Lease> {
        const { leases: present } = await leases.renew(stage, owner, LONG_MS);
        const [taken] = await leases.acquire(
          stage,
          owner,
          present.filter((lease) => lease.partition === partition),
        );
        return taken ?? never();
      }
      const old = {
        scheduler: await take('scheduler', 'a'),
        anomaly: await take('anomaly', 'a'),
        publishing: await take('publishing', 'a'),
      };
      const raw = (from: number, to: number, { epoch }: Lease) => fixture.raw(metricId, from, to, { epoch });
      const scored = (from: number, to: number, { epoch }: Lease) =>
        fixture.scored(metricId, from, to, { epoch });
      const move = (from: number, to: number, { epoch }: Lease) =>
        fixture.move(metricId, from, to, { epoch });
      expect(await log.recordRawScores(raw(0, 2, old.scheduler))).toEqual({ refused: null });
      expect(await log.recordAnomalyScores(scored(0, 1, old.anomaly))).toEqual({ refused: null });
      expect(await log.advanceCursor(move(0, 1, old.publishing))).toEqual({ refused: null });
      await leases.release('scheduler', 'a', [old.scheduler]);
      await take('anomaly', 'b');
      await take('publishing', 'b');
      const late = [
        () => log.recordRawScores(raw(2, 3, old.scheduler)),
        () => log.recordAnomalyScores(scored(1, 2, old.anomaly)),
        () => log.advanceCursor(move(1, 1, old.publishing)),
      ];
      for (const fold of late) await expectRefused(fixture, metricId, fold, 'epoch');
      const taken = await take('scheduler', 'b');
      expect(await log.recordRawScores(raw(2, 3, taken))).toEqual({ refused: null });
    });

    it('looks for work in the partitions that are asked for', async () => {
      const fixture = current();
      const { log, catalogue } = fixture.store;
      const ids: string[] = [];
      for (const name of 'abcdefgh') ids.push(await fixture.monitored(name, 3));
      const partitions = new Map<string, number>();
      for (const id of ids) partitions.set(id, (await catalogue.getMetric(id))?.partition ?? never());
      const [some = never()] = partitions.values();
      const within = (wanted: readonly number[]) =>
        ids.filter((id) => wanted.includes(partitions.get(id) ?? -1)).sort();
      const asked = [[some], [0, 1, 2, 3, 4, 5, 6, 7], []];
      for (const wanted of asked) expect(await log.modelsWithWork('', 100, wanted)).toEqual(within(wanted));
      for (const id of ids) await log.recordRawScores(fixture.raw(id, 0, 3));
      for (const wanted of asked) expect(await log.metricsToScore('', 100, wanted)).toEqual(within(wanted));
      for (const id of ids) await log.recordAnomalyScores(fixture.scored(id, 0, 3));
      for (const wanted of asked)
        expect(await log.metricsToPublish(CONSUMER, '', 100, wanted)).toEqual(within(wanted));
      expect(within([some]).length).toBeLessThan(ids.length);
    });

    it('can be served unless a copy into it was not finished', async () => {
      const { leases } = current().store;
      await leases.checkServable();
      await current().under.execute("insert into installation (name, value) values ('copying', 'x')");
      await expect(leases.checkServable()).rejects.toMatchObject({ code: 'store_incomplete' });
      await current().under.execute("delete from installation where name = 'copying'");
    });

    it('divides metrics among another number of partitions, once nobody works on them', async () => {
      const fixture = current();
      const { leases, catalogue } = fixture.store;
      const ids: string[] = [];
      for (const name of 'abcdef') ids.push(await fixture.monitored(name, 3));
      const present = (await leases.renew('scheduler', 'a', 300)).leases;
      const held = await leases.acquire('scheduler', 'a', present);
      await expect(catalogue.repartition(40)).rejects.toMatchObject({ code: 'store_locked' });
      expect(await catalogue.partitions()).toBe(16);
      const changed = async () => {
        try {
          return await catalogue.repartition(40);
        } catch {
          return null;
        }
      };
      let metrics = await changed();
      while (metrics === null) {
        await delay(50);
        metrics = await changed();
      }
      expect(metrics).toBe(6);
      await fixture.reopen();
      const reopened = fixture.store;
      expect(await reopened.catalogue.partitions()).toBe(40);
      for (const [i, id] of ids.entries()) {
        const expected = createHash('sha256').update('abcdef'.charAt(i)).digest().readUInt32BE(0) % 40;
        expect((await reopened.catalogue.getMetric(id))?.partition).toBe(expected);
      }
      const { leases: now } = await reopened.leases.renew('scheduler', 'b', LONG_MS);
      expect(now.map(({ partition }) => partition)).toEqual(Array.from({ length: 40 }, (_, i) => i));
      const before = Math.max(...held.map(({ epoch }) => epoch));
      for (const { owner, epoch } of now) expect([owner, epoch > before]).toEqual([null, true]);
    });

    it('keeps members and epochs over a restart', async () => {
      const fixture = current();
      await fixture.append(samples('a', 1, 1));
      await fixture.store.leases.renew('scheduler', 'a', LONG_MS);
      const taken = await fixture.store.leases.acquire('scheduler', 'a', await leasesOf(fixture));
      await fixture.reopen();
      expect(await leasesOf(fixture)).toEqual(taken.map((lease) => ({ ...lease, owner: 'a' })));
    });
  });
}

function never(): never {
  throw new Error('a lease that must be there is not');
}
