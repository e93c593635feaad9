import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MetricStatus } from '../../../src/metric.ts';
import { requestWithRange, samples, type StoreFixture } from './fixture.ts';

/** Metrics come and go; who works on them. */
export function catalogueTests(current: () => StoreFixture): void {
  describe('createMetric, getMetric, findMetric', () => {
    it('creates a metric once', async () => {
      const { catalogue } = current().store;
      const first = await catalogue.createMetric('cpu/user');
      expect(first.created).toBe(true);
      expect(await catalogue.createMetric('cpu/user')).toEqual({ metricId: first.metricId, created: false });
      const metric = {
        metricId: first.metricId,
        name: 'cpu/user',
        datasource: 'custom',
        description: 'Custom metric cpu/user',
        server: 'cpu/user',
        location: '',
        parameters: null,
        modelParams: null,
        status: MetricStatus.UNMONITORED,
        message: null,
        pollIntervalSeconds: 300,
        lastRowid: 0,
        lastTimestamp: null,
        // The first four bytes of the name's SHA-256, modulo the installation's 16 partitions.
        partition: createHash('sha256').update('cpu/user').digest().readUInt32BE(0) % 16,
      };
      expect(await catalogue.getMetric(first.metricId)).toEqual(metric);
      expect(await catalogue.findMetric('cpu/user')).toEqual(metric);
    });

    it('knows nothing of other names and ids', async () => {
      const { catalogue } = current().store;
      await catalogue.createMetric('a');
      expect(await catalogue.findMetric('A')).toBeNull();
      expect(await catalogue.findMetric('')).toBeNull();
      expect(await catalogue.getMetric('a')).toBeNull();
    });

    it('refuses names that no metric may have', async () => {
      const { catalogue } = current().store;
      for (const name of ['', 'a\u0000', 'x'.repeat(256), '\ud800']) {
        await expect(catalogue.createMetric(name)).rejects.toMatchObject({ code: 'invalid_metric_name' });
      }
    });

    it('gives a metric its partition for good, however it was created', async () => {
      const fixture = current();
      const names = Array.from({ length: 200 }, (_, index) => `metric ${index}`);
      await fixture.append(...names.map((name) => samples(name, 1, 1)));
      const seen = new Set<number>();
      for (const name of names) {
        const partition = (await fixture.store.catalogue.findMetric(name))?.partition ?? -1;
        expect(partition).toBe(createHash('sha256').update(name).digest().readUInt32BE(0) % 16);
        seen.add(partition);
      }
      expect(seen.size).toBe(16);
    });
  });

  describe('renameMetric', () => {
    it('keeps rows, scores, model and partition, and frees the old name', async () => {
      const fixture = current();
      const { catalogue, queries } = fixture.store;
      const metricId = await fixture.metric('old', 5);
      const spec = '{"datasource":"custom","metricSpec":{"metric":"old","unit":"s"},"modelParams":{"min":0}}';
      await catalogue.monitor(metricId, requestWithRange({ spec }));
      await fixture.score(metricId, 0, 3);
      const before = await catalogue.getMetric(metricId);
      await catalogue.renameMetric(metricId, 'new');
      const parameters = spec.replace('old', 'new');
      expect(await catalogue.findMetric('new')).toEqual({
        ...before,
        name: 'new',
        server: 'new',
        description: 'Custom metric new',
        parameters,
      });
      expect(await catalogue.findMetric('old')).toBeNull();
      expect(await queries.describeMetric('new')).toMatchObject({
        metricId,
        scoredRows: 3,
        spec: parameters,
      });
      // The stages go on where they were, and rows come in under the new name.
      const [row] = await fixture.append(samples('new', 6, 6));
      expect(row).toMatchObject({ metricId, created: false, lastRowid: 6 });
      await fixture.score(metricId, 3, 6);
      const [other] = await fixture.append(samples('old', 1, 1));
      expect(other).toMatchObject({ created: true });
      expect(other?.metricId).not.toBe(metricId);
    });

    it('refuses a name that is taken, is none, or of a metric that is not there', async () => {
      const { catalogue } = current().store;
      const metricId = await current().metric('a', 1);
      const other = await current().metric('b', 1);
      const rename = (id: string, name: string) => catalogue.renameMetric(id, name);
      await expect(rename(metricId, 'b')).rejects.toMatchObject({
        code: 'metric_already_exists',
        details: { metricId: other },
      });
      await expect(rename(metricId, '')).rejects.toMatchObject({ code: 'invalid_metric_name' });
      await expect(rename('0'.repeat(32), 'c')).rejects.toMatchObject({ code: 'metric_not_found' });
      await rename(metricId, 'a');
      expect((await catalogue.findMetric('a'))?.metricId).toBe(metricId);
    });
  });

  describe('discardMetric and removeDiscarded', () => {
    it('frees the name at once and removes the rows bit by bit', async () => {
      const fixture = current();
      const { catalogue, queries } = fixture.store;
      const old = await fixture.metric('a', 7);
      await fixture.metric('b', 2);
      await catalogue.discardMetric(old);
      expect(await catalogue.findMetric('a')).toBeNull();
      expect(await catalogue.getMetric(old)).toBeNull();
      expect((await queries.listMetrics('', 10)).map((metric) => metric.name)).toEqual(['b']);
      expect(await queries.totals()).toMatchObject({ rows: 2, metrics: { [MetricStatus.UNMONITORED]: 1 } });
      const fresh = await fixture.metric('a', 3);
      expect(fresh).not.toBe(old);
      expect(await catalogue.removeDiscarded(3)).toBe(true);
      expect(await catalogue.removeDiscarded(3)).toBe(true);
      expect(await catalogue.removeDiscarded(3)).toBe(false);
      expect(await catalogue.removeDiscarded(3)).toBe(false);
      expect(await fixture.data(old)).toEqual([]);
      expect(await fixture.data(fresh)).toHaveLength(3);
    });

    it('removes several metrics within one limit, those without rows too', async () => {
      const fixture = current();
      const { catalogue } = fixture.store;
      for (const [name, rows] of [
        ['a', 2],
        ['b', 0],
        ['c', 2],
        ['d', 2],
      ] as const) {
        await catalogue.discardMetric(await fixture.metric(name, rows));
      }
      expect(await catalogue.removeDiscarded(4)).toBe(true);
      expect(await catalogue.removeDiscarded(4)).toBe(false);
    });

    it('removes a metric that had generations, with all that belongs to them', async () => {
      const fixture = current();
      const { catalogue } = fixture.store;
      const metricId = await fixture.monitored('a', 5);
      await fixture.score(metricId, 0, 5);
      await catalogue.unmonitor(metricId);
      await catalogue.discardMetric(metricId);
      expect(await catalogue.metricsToClear(10)).toEqual([]);
      expect(await catalogue.removeDiscarded(100)).toBe(false);
      expect(await fixture.metric('a', 1)).not.toBe(metricId);
    });

    it('refuses a metric that is monitored or does not exist', async () => {
      const fixture = current();
      const { catalogue } = fixture.store;
      const metricId = await fixture.monitored('a', 1);
      await expect(catalogue.discardMetric(metricId)).rejects.toMatchObject({
        code: 'metric_status_changed',
        details: { status: MetricStatus.CREATE_PENDING },
      });
      expect(await catalogue.findMetric('a')).not.toBeNull();
      await catalogue.unmonitor(metricId);
      await catalogue.discardMetric(metricId);
      await expect(catalogue.discardMetric(metricId)).rejects.toMatchObject({ code: 'metric_not_found' });
    });
  });

  describe('takeLeases', () => {
    it('gives a higher epoch each time', async () => {
      const fixture = current();
      const first = fixture.epoch;
      const second = await fixture.store.catalogue.takeLeases('a');
      const third = await fixture.store.catalogue.takeLeases('a');
      expect(second).toBeGreaterThan(first);
      expect(third).toBeGreaterThan(second);
    });

    it('covers every stage of every partition', async () => {
      const fixture = current();
      const { log } = fixture.store;
      await fixture.under.execute('update lease set epoch = 0');
      await fixture.under.execute("update lease set epoch = 41 where stage = 'anomaly'");
      expect(await fixture.takeLeases()).toBe(42);
      for (let index = 0; index < 40; index += 1) {
        const metricId = await fixture.monitored(`metric ${index}`, 1);
        await fixture.score(metricId, 0, 1);
        expect(await log.advanceCursor(fixture.move(metricId, 0, 1))).toEqual({ refused: null });
      }
    });
  });
}
