import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MetricStatus } from '../../../src/metric.ts';
import { seededRandom } from '../../support/series.ts';
import { automatic, samples, START, timeOf, type StoreFixture } from './fixture.ts';

/** T0. */
export function appendTests(current: () => StoreFixture): void {
  describe('appendSamples', () => {
    it('creates unknown metrics and numbers their rows from 1', async () => {
      const { store } = current();
      const [a, b] = await store.log.appendSamples([samples('a', 1, 3), samples('b', 1, 1)], {});
      expect(a).toEqual({
        metricId: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
        created: true,
        status: MetricStatus.UNMONITORED,
        lastRowid: 3,
        readyToActivate: false,
        refused: [],
      });
      expect(b).toMatchObject({ created: true, lastRowid: 1 });
      expect(b?.metricId).not.toBe(a?.metricId);
      expect(await store.catalogue.findMetric('a')).toMatchObject({
        metricId: a?.metricId,
        name: 'a',
        datasource: 'custom',
        description: 'Custom metric a',
        server: 'a',
        parameters: null,
        modelParams: null,
        message: null,
        pollIntervalSeconds: 300,
        lastRowid: 3,
        lastTimestamp: timeOf(3),
      });
      const rows = await store.log.readRows(a?.metricId ?? '', 0, 100, 100);
      expect(Array.from(rows.rowids)).toEqual([1, 2, 3]);
      expect(Array.from(rows.timestamps)).toEqual([timeOf(1), timeOf(2), timeOf(3)]);
      expect(Array.from(rows.values)).toEqual([1, 2, 3]);
      expect(Array.from(rows.rawScores)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    });

    it('goes on after the last row of a metric it knows', async () => {
      const fixture = current();
      const metricId = await fixture.metric('a', 2);
      const [outcome] = await fixture.append(samples('a', 3, 5));
      expect(outcome).toMatchObject({ metricId, created: false, lastRowid: 5 });
      expect((await fixture.data(metricId)).map((row) => row.rowid)).toEqual([1, 2, 3, 4, 5]);
    });

    it('refuses equal times as duplicates and earlier ones as older, and leaves no gap', async () => {
      const fixture = current();
      const metricId = await fixture.metric('a', 1);
      const timestamps = [START, START + 5, START + 5, START + 4, START - 1, START + 6];
      const [outcome] = await fixture.append({ name: 'a', timestamps, values: [9, 2, 9, 9, 9, 3] });
      expect(outcome).toMatchObject({
        lastRowid: 3,
        refused: [
          { index: 0, reason: 'duplicate' },
          { index: 2, reason: 'duplicate' },
          { index: 3, reason: 'older' },
          { index: 4, reason: 'older' },
        ],
      });
      expect((await fixture.data(metricId)).map((row) => [row.rowid, row.timestamp, row.value])).toEqual([
        [1, START, 1],
        [2, START + 5, 2],
        [3, START + 6, 3],
      ]);
    });

    it('takes a batch that is refused whole without changing the metric', async () => {
      const fixture = current();
      const metricId = await fixture.metric('a', 3);
      const before = await fixture.everything(metricId);
      const [outcome] = await fixture.append(samples('a', 1, 3));
      expect(outcome?.lastRowid).toBe(3);
      expect(outcome?.refused.map((refusal) => refusal.reason)).toEqual(['older', 'older', 'duplicate']);
      expect(await fixture.everything(metricId)).toEqual(before);
    });

    it('handles entries of one name as one sequence, each with its own outcome', async () => {
      const fixture = current();
      const outcomes = await fixture.append(
        samples('twice', 1, 2),
        samples('other', 1, 1),
        samples('twice', 2, 4),
      );
      expect(outcomes.map((outcome) => [outcome.created, outcome.lastRowid, outcome.refused.length])).toEqual(
        [
          [true, 2, 0],
          [true, 1, 0],
          [false, 4, 1],
        ],
      );
      expect(outcomes[0]?.metricId).toBe(outcomes[2]?.metricId);
    });

    it('answers many metrics in the order they were given', async () => {
      const fixture = current();
      const names = Array.from({ length: 3000 }, (_, index) => `metric.${(index * 7919) % 3000}`);
      const created = await fixture.append(...names.map((name) => samples(name, 1, 1)));
      const appended = await fixture.append(...names.map((name, index) => samples(name, 2, 2 + (index % 3))));
      expect(appended.map((outcome) => outcome.metricId)).toEqual(created.map((outcome) => outcome.metricId));
      expect(appended.map((outcome) => outcome.lastRowid)).toEqual(names.map((_, index) => 2 + (index % 3)));
      expect((await fixture.store.queries.totals()).rows).toBe(3000 + 6000);
    });

    it('tells names apart by their bytes: composed or not, upper or lower case, any script', async () => {
      const fixture = current();
      const names = [
        'é',
        'e\u0301',
        'É',
        'E',
        'e',
        'ß',
        'ss',
        '\u03a9',
        '\u2126',
        'ａ',
        'a ',
        ' a',
        'a',
        '🦄',
        "a'b",
        'a"b',
        'a\\b',
        '%',
        '_',
      ];
      const outcomes = await fixture.append(...names.map((name) => samples(name, 1, 1)));
      expect(new Set(outcomes.map((outcome) => outcome.metricId)).size).toBe(names.length);
      expect(outcomes.every((outcome) => outcome.created)).toBe(true);
      for (const [index, name] of names.entries()) {
        const found = await fixture.store.catalogue.findMetric(name);
        expect(found).toMatchObject({ name, metricId: outcomes[index]?.metricId });
      }
    });

    it('keeps the longest names, four bytes a character', async () => {
      const fixture = current();
      const name = '🦄'.repeat(255);
      const metricId = await fixture.metric(name, 1);
      expect(await fixture.store.catalogue.getMetric(metricId)).toMatchObject({
        name,
        server: name,
        description: `Custom metric ${name}`,
      });
    });

    it('keeps every finite value bit for bit', async () => {
      const fixture = current();
      const random = seededRandom(1);
      const values = [
        0.1,
        1 / 3,
        5e-324,
        1.7976931348623157e308,
        -2.2250738585072014e-308,
        2 ** 53 + 2,
        123456789.12345679,
        -7,
        9007199254740994,
        9.160650110399999, // 17 characters: read by some as the sum of its digits, which is not it
        ...Array.from(
          { length: 500 },
          () => (random() + random() / 2 ** 32) * 10 ** Math.floor(8 * random() - 3),
        ),
      ];
      const timestamps = values.map((_, index) => timeOf(index + 1));
      const [outcome] = await fixture.append({ name: 'v', timestamps, values });
      const rows = await fixture.store.log.readRows(outcome?.metricId ?? '', 0, 1000, 1000);
      expect(Array.from(rows.values)).toEqual(values);
    });

    it('agrees with a list that only takes later times, however the samples are cut into calls', async () => {
      const sample = fc.record({
        name: fc.constantFrom('p', 'q', 'r'),
        times: fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 8 }),
      });
      const calls = fc.array(fc.array(sample, { minLength: 1, maxLength: 4 }), { maxLength: 6 });
      let run = 0;
      await fc.assert(
        fc.asyncProperty(calls, async (given) => {
          run += 1;
          const fixture = current();
          const expected = new Map<string, number[]>();
          for (const call of given) {
            const outcomes = await fixture.append(
              ...call.map(({ name, times }) => ({
                name: `${name}${run}`,
                timestamps: times.map((time) => START + time),
                values: times,
              })),
            );
            for (const [index, { name, times }] of call.entries()) {
              const kept = expected.get(name) ?? [];
              expected.set(name, kept);
              const refused = times.flatMap((time, at) => {
                const last = kept.at(-1) ?? -1;
                if (time > last) {
                  kept.push(time);
                  return [];
                }
                return [{ index: at, reason: time === last ? 'duplicate' : 'older' }];
              });
              expect(outcomes[index]).toMatchObject({ refused, lastRowid: kept.length });
            }
          }
          for (const [name, kept] of expected) {
            const metric = await fixture.store.catalogue.findMetric(`${name}${run}`);
            const rows = await fixture.data(metric?.metricId ?? '');
            expect(rows.map((row) => [row.rowid, row.timestamp, row.value])).toEqual(
              kept.map((time, index) => [index + 1, START + time, time]),
            );
          }
        }),
        { numRuns: 20 },
      );
    });

    it.each([
      ['no samples', { name: 'a', timestamps: [], values: [] }],
      ['more values than times', { name: 'a', timestamps: [START], values: [1, 2] }],
      ['a value that is no number', { name: 'a', timestamps: [START], values: [Number.NaN] }],
      ['half a second', { name: 'a', timestamps: [START + 0.5], values: [1] }],
      ['a name that may not be', { name: 'a\n', timestamps: [START], values: [1] }],
      ['10,001 samples', samples('a', 1, 10_001)],
    ])('throws on %s, and stores nothing of the call', async (_, entry) => {
      const fixture = current();
      await expect(fixture.append(samples('good', 1, 1), entry)).rejects.toThrow(RangeError);
      expect(await fixture.store.catalogue.findMetric('good')).toBeNull();
    });
  });

  describe('appendSamples with automatic monitoring', () => {
    it('lets a metric that it creates wait for rows, with everything asked for kept', async () => {
      const { store } = current();
      const [outcome] = await store.log.appendSamples([samples('a', 1, 3)], {
        autoMonitor: automatic(),
      });
      const metricId = outcome?.metricId ?? '';
      expect(outcome).toMatchObject({ status: MetricStatus.PENDING_DATA, readyToActivate: false });
      expect(await store.catalogue.getMetric(metricId)).toMatchObject({
        status: MetricStatus.PENDING_DATA,
        parameters: '{"datasource":"custom","metricSpec":{"metric":"a"}}',
        modelParams: null,
        server: 'a',
      });
      await store.log.appendSamples([samples('a', 4, 12)], {});
      expect(await store.catalogue.activate(metricId, 'firstRows')).toBe(MetricStatus.CREATE_PENDING);
      expect((await store.log.modelTask(metricId))?.generation).toMatchObject({
        generation: 1,
        startRowid: 1,
        backlogRowid: 0,
        algorithmRevision: 3,
      });
    });

    it('leaves a metric that exists as it is', async () => {
      const fixture = current();
      const metricId = await fixture.metric('a', 1);
      const [outcome] = await fixture.store.log.appendSamples([samples('a', 2, 2)], {
        autoMonitor: automatic(),
      });
      expect(outcome).toMatchObject({ metricId, status: MetricStatus.UNMONITORED });
    });

    it('says when a waiting metric has its rows', async () => {
      const { store } = current();
      const options = { autoMonitor: automatic({ minimumRows: 5 }) };
      const [a, b] = await store.log.appendSamples([samples('a', 1, 4), samples('b', 1, 6)], options);
      expect([a?.readyToActivate, b?.readyToActivate]).toEqual([false, true]);
      const [later] = await store.log.appendSamples([samples('a', 5, 5)], {});
      expect(later?.readyToActivate).toBe(true);
      await store.catalogue.activate(b?.metricId ?? '', 'firstRows');
      const [opened] = await store.log.appendSamples([samples('b', 7, 7)], {});
      expect(opened).toMatchObject({ status: MetricStatus.CREATE_PENDING, readyToActivate: false });
    });

    it('counts the rows that are stored, not those that were', async () => {
      const { under, store } = current();
      const options = { autoMonitor: automatic({ minimumRows: 5 }) };
      const [a] = await store.log.appendSamples([samples('a', 1, 4)], options);
      await under.execute(`delete from metric_data where uid = '${a?.metricId ?? ''}' and rowid <= 2`);
      const [six] = await store.log.appendSamples([samples('a', 5, 6)], {});
      expect(six).toMatchObject({ lastRowid: 6, readyToActivate: false });
      const [seven] = await store.log.appendSamples([samples('a', 7, 7)], {});
      expect(seven?.readyToActivate).toBe(true);
    });

    it.each([
      ['complete parameters', { resolutionPath: null }],
      ['no minimum of rows', { minimumRows: 0 }],
    ])('throws on a request with %s, and stores nothing of the call', async (_, wrong) => {
      const { store } = current();
      const append = store.log.appendSamples([samples('a', 1, 1)], { autoMonitor: automatic(wrong) });
      await expect(append).rejects.toThrow();
      expect(await store.catalogue.findMetric('a')).toBeNull();
    });
  });
}
