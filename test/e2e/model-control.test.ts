import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EngineClient } from '../../src/client/index.ts';
import { Engine } from '../../src/engine.ts';
import { AnomalyModel, LikelihoodWithHistory, parseModelParameters } from '../../src/htm/index.ts';
import { baseUrl, request } from '../support/api-client.ts';
import { temporaryDirectory, until } from '../support/engine-process.ts';
import { dailySeries } from '../support/series.ts';

/** What people do to a model that exists, over HTTP, on a whole engine. */
const ROWS = 450;
const { timestamps, values } = dailySeries('series', ROWS, 3);
const timeOf = (index: number) => timestamps[index] ?? Number.NaN;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let engine: Engine;
let client: EngineClient;

beforeAll(async () => {
  directory = await temporaryDirectory();
  engine = new Engine({
    dataDirectory: directory.path,
    listener: { graphite: { enabled: false } },
    monitoring: { variant: 'tm_cpp', minimumRows: 60 },
    scheduler: { workers: 1 },
    api: { port: 0 },
    log: { level: 'silent' },
  });
  await engine.start();
  client = new EngineClient(baseUrl(engine));
}, 120_000);
afterAll(async () => {
  await engine.stop();
  await directory.remove();
});

const call = (method: string, path: string, body?: unknown) =>
  request(engine, method, `/api/v1/metrics/${path}`, body);

async function push(name: string, from = 0, to = ROWS): Promise<void> {
  await engine.push(values.slice(from, to).map((value, i) => ({ name, value, timestamp: timeOf(from + i) })));
}

/** Raw scores once all rows have an anomaly score. */
async function rawScores(name: string, rows = ROWS): Promise<(number | null)[]> {
  await until(`all scores of ${name}`, async () => (await client.metric(name)).scoredRows === rows);
  return (await client.lastRows(name, rows)).map(({ rawAnomalyScore }) => rawAnomalyScore);
}

/** What the model of the metric's parameters gives for the rows when only those that `learns` says change it. */
async function expected(name: string, learns: (index: number) => boolean): Promise<number[]> {
  const { parameters } = await client.model(name);
  const model = AnomalyModel.create(parseModelParameters(parameters));
  return values.map((value, i) => {
    model.learning = learns(i);
    return model.run(timeOf(i), value);
  });
}

describe('a model over HTTP', () => {
  it(
    'learns anew without an interval, in one step, and keeps leaving it out',
    { timeout: 180_000 },
    async () => {
      await push('spiked');
      await client.monitor('spiked', { min: 0, max: 100 });
      const all = await rawScores('spiked');
      expect(all).toEqual(await expected('spiked', () => true));
      const interval = { from: timeOf(100), to: timeOf(199) };
      expect(await call('POST', 'spiked/model/do-not-learn', interval)).toMatchObject({
        status: 409,
        body: { code: 'interval_learned' },
      });
      const asked = await client.doNotLearn('spiked', { ...interval, relearn: true });
      expect(asked).toMatchObject({ generation: 2, learns: true, leftOut: [interval] });
      const without = await rawScores('spiked');
      expect(without).toEqual(await expected('spiked', (i) => i < 100 || i > 199));
      expect(without).not.toEqual(all);
      // Asked for once more, and for a part of it, there is nothing to do.
      await client.doNotLearn('spiked', { ...interval, relearn: true });
      await client.doNotLearn('spiked', { from: interval.from + 1, to: interval.to, relearn: true });
      expect(await client.model('spiked')).toMatchObject({ generation: 2, commands: [{ sequence: 1 }] });
      await client.restart('spiked', 'relearn', { generation: 1 });
      expect((await client.model('spiked')).generation).toBe(2);
      await client.restart('spiked', 'relearn', { generation: 2 });
      expect(await client.model('spiked')).toMatchObject({ generation: 3, leftOut: [interval] });
      expect(await rawScores('spiked')).toEqual(without);
      await client.restart('spiked', 'relearn', { without: [] });
      expect(await rawScores('spiked')).toEqual(all);
    },
  );

  it(
    'stops learning and goes on, begins a new sequence, and is told once',
    { timeout: 180_000 },
    async () => {
      await client.monitor('live', { min: 0, max: 100 });
      await push('live', 0, 100);
      await rawScores('live', 100);
      const coming = { from: timeOf(300), to: timeOf(349) };
      await client.doNotLearn('live', { ...coming });
      for (let repeat = 0; repeat < 2; repeat += 1)
        expect(await client.setLearning('live', false)).toMatchObject({ learns: false });
      await push('live', 100, 200);
      await rawScores('live', 200);
      for (let repeat = 0; repeat < 2; repeat += 1)
        expect(await client.setLearning('live', true)).toMatchObject({ learns: true });
      await push('live', 200);
      const learned = (i: number) => i < 100 || (i >= 200 && (i < 300 || i >= 350));
      expect(await rawScores('live')).toEqual(await expected('live', learned));
      await client.resetModel('live');
      expect((await client.resetModel('live')).commands).toEqual([
        { sequence: 1, afterRowid: 100, what: 'doNotLearn', ...coming },
        { sequence: 2, afterRowid: 100, what: 'learning', on: false },
        { sequence: 3, afterRowid: 200, what: 'learning', on: true },
        { sequence: 4, afterRowid: ROWS, what: 'reset' },
      ]);
    },
  );

  it('tells what it takes, what it compares with, and what may be done', { timeout: 180_000 }, async () => {
    await push('told');
    await client.monitor('told', { min: 0, max: 100 });
    const scores = await rawScores('told');
    const likelihood = new LikelihoodWithHistory();
    values.forEach((value, i) => likelihood.next(value, scores[i] ?? Number.NaN));
    const model = await client.model('told');
    expect(model).toMatchObject({
      rows: ROWS,
      learning: null,
      failure: null,
      restarts: ['relearn'],
      cost: { warm: true },
      distribution: { recentScores: scores.slice(-10) },
    });
    expect(model.cost?.bytes).toBeGreaterThan(100_000);
    for (const ms of [model.cost?.loadMs, model.cost?.rowMs]) expect(ms).toBeGreaterThanOrEqual(0);
    const { distribution } = model;
    const average = scores.slice(-10).reduce<number>((sum, score) => sum + (score ?? 0), 0) / 10;
    expect(distribution?.averageScore).toBeCloseTo(average, 9);
    const { histogram, ...told } = await client.likelihood('told');
    expect(told).toMatchObject({ name: 'told', generation: 1, distribution });
    // The rows of the learning period are left out.
    expect(histogram.counts.reduce((sum, count) => sum + count)).toBe(ROWS - 288);
    expect(histogram.counts).toHaveLength(1 / histogram.binWidth);
    expect((await engine.describeModel('told')).distribution).toEqual(distribution);
  });

  it(
    'loses rows only when it learns anew, to what it would have been without them',
    { timeout: 180_000 },
    async () => {
      await push('whole');
      await client.monitor('whole', {});
      await rawScores('whole');
      await push('never', 0, 150);
      await push('never', 250);
      await client.monitor('never', {});
      const interval = { from: timeOf(150), to: timeOf(249) };
      const path = `whole/data?from=${interval.from}&to=${interval.to}`;
      expect(await call('DELETE', path)).toMatchObject({ status: 409, body: { code: 'rows_needed' } });
      expect(await client.deleteRows('whole', interval, true)).toBe(100);
      expect(await client.deleteRows('whole', interval, true)).toBe(0);
      expect(await rawScores('whole', ROWS - 100)).toEqual(await rawScores('never', ROWS - 100));
      const [whole, never] = [await client.model('whole'), await client.model('never')];
      expect([whole.generation, whole.range, whole.rows]).toEqual([2, never.range, ROWS - 100]);
      await client.unmonitor('whole');
      expect((await call('DELETE', `whole/data?from=0&to=${timeOf(9)}`)).body).toMatchObject({
        deletedRows: 10,
        metric: { rows: ROWS - 110, state: 'UNMONITORED' },
      });
    },
  );

  it.each<[string, string, unknown, number, string]>([
    ['PUT', 'none/model/learning', { on: true }, 404, 'metric_not_found'],
    ['PUT', 'plain/model/learning', { on: true }, 409, 'metric_not_monitored'],
    ['PUT', 'plain/model/learning', { on: 'yes' }, 400, 'invalid_request_body'],
    ['POST', 'plain/model/reset', undefined, 409, 'metric_not_monitored'],
    ['POST', 'plain/model/do-not-learn', { from: 2, to: 1 }, 400, 'invalid_argument'],
    ['POST', 'plain/model/do-not-learn', { from: 1.5, to: 2 }, 400, 'invalid_request_body'],
    [
      'POST',
      'plain/model/restart',
      { how: 'relearn', without: [{ from: 2, to: 1 }] },
      400,
      'invalid_argument',
    ],
    ['GET', 'plain/model/likelihood', undefined, 409, 'metric_not_monitored'],
    ['DELETE', 'plain/data?from=2&to=1', undefined, 400, 'invalid_argument'],
    ['DELETE', 'plain/data?from=2', undefined, 400, 'invalid_argument'],
    ['DELETE', 'none/data?from=1&to=2', undefined, 404, 'metric_not_found'],
  ])('refuses %s %s %j', async (method, path, body, status, code) => {
    await engine.createMetric('plain').catch(() => undefined);
    expect(await call(method, path, body)).toMatchObject({ status, body: { code } });
  });
});
