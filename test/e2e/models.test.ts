import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine.ts';
import { request } from '../support/api-client.ts';
import { temporaryDirectory, until } from '../support/engine-process.ts';
import { dailySeries } from '../support/series.ts';

/** What is done to models over HTTP, on a whole engine. */
const ROWS = 120;
const SERIES = dailySeries('series', ROWS, 3);

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let engine: Engine;

beforeEach(async () => {
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
});
afterEach(async () => {
  await engine.stop();
  await directory.remove();
});

const call = (method: string, path: string, body?: unknown) =>
  request(engine, method, `/api/v1${path}`, body);

async function push(name: string): Promise<void> {
  const { timestamps, values } = SERIES;
  await engine.push(values.map((value, i) => ({ name, value, timestamp: timestamps[i] ?? 0 })));
}

/** The anomaly and raw scores of a metric once all its rows have them. */
async function scores(name: string): Promise<unknown[]> {
  await until(
    `all scores of ${name}`,
    async () => (await call('GET', `/metrics/${name}`)).body['scoredRows'] === ROWS,
  );
  const { body } = await call('GET', `/metrics/${name}/data`);
  return (body['rows'] as Record<string, unknown>[]).map((row) => [
    row['value'],
    row['rawAnomalyScore'],
    row['anomalyScore'],
  ]);
}

describe('models over HTTP', () => {
  it('are monitored, described, stopped and deleted', async () => {
    expect(await call('POST', '/metrics', { name: 'a/b c' })).toMatchObject({
      status: 201,
      body: { name: 'a/b c', state: 'UNMONITORED', learning: null, demo: false },
    });
    expect(await call('POST', '/metrics', { name: 'a/b c' })).toMatchObject({
      status: 409,
      body: { code: 'metric_already_exists' },
    });
    expect(await call('GET', '/metrics/a%2Fb%20c/model')).toMatchObject({
      status: 409,
      body: { code: 'metric_not_monitored' },
    });
    const put = await call('PUT', '/metrics/a%2Fb%20c/model', {
      min: 0,
      max: 100,
      unit: '%',
      resource: 'host',
      userInfo: { demo: true },
    });
    expect(put).toMatchObject({
      status: 201,
      body: { state: 'CREATE_PENDING', demo: true, learning: { rows: 0, of: 388 } },
    });
    expect((await call('PUT', '/metrics/a%2Fb%20c/model', {})).status).toBe(409);
    await push('a/b c');
    await scores('a%2Fb%20c');
    const { body } = await call('GET', '/metrics/a%2Fb%20c/model');
    expect(body).toMatchObject({
      name: 'a/b c',
      state: 'ACTIVE',
      message: null,
      generation: 1,
      variant: 'tm_cpp',
      range: { min: 0, max: 100 },
      resolution: 100 / 130,
      startRowid: 1,
      processedRowid: ROWS,
      scoredRowid: ROWS,
      backlogRowid: 0,
      learning: { rows: ROWS, of: 388 },
      spec: {
        datasource: 'custom',
        metricSpec: { metric: 'a/b c', unit: '%', resource: 'host', userInfo: { demo: true } },
        modelParams: { min: 0, max: 100 },
      },
    });
    const strip = await call('GET', '/metrics?recent=30');
    expect((strip.body['metrics'] as { recent: number[] }[])[0]?.recent).toHaveLength(30);
    for (let repeat = 0; repeat < 2; repeat += 1) {
      expect((await call('DELETE', '/metrics/a%2Fb%20c/model')).status).toBe(204);
      expect((await call('GET', '/metrics/a%2Fb%20c')).body).toMatchObject({
        state: 'UNMONITORED',
        rows: ROWS,
        scoredRows: 0,
        lastLogLikelihood: null,
      });
    }
    expect((await call('DELETE', '/metrics/a%2Fb%20c')).status).toBe(204);
    expect((await call('DELETE', '/metrics/a%2Fb%20c')).status).toBe(404);
  });

  it('begin with the rows there are when they are told to', async () => {
    expect((await call('PUT', '/metrics/a/model')).body).toMatchObject({
      state: 'PENDING_DATA',
      learning: { rows: 0, of: 60 },
    });
    expect(await call('POST', '/metrics/a/model/activate')).toMatchObject({
      status: 409,
      body: { code: 'statistics_not_ready' },
    });
    await engine.push([{ name: 'a', value: 1 }]);
    expect((await call('POST', '/metrics/a/model/activate')).body).toMatchObject({ state: 'CREATE_PENDING' });
    expect((await call('POST', '/metrics/none/model/activate')).status).toBe(404);
  });

  it('learn anew, and as clones, to the same scores bit for bit', { timeout: 60_000 }, async () => {
    await push('a');
    await call('PUT', '/metrics/a/model', {});
    const first = await scores('a');
    expect(new Set(first.map((row) => JSON.stringify(row))).size).toBeGreaterThan(50);
    expect(await call('POST', '/metrics/a/model/restart', { how: 'retry' })).toMatchObject({
      status: 409,
      body: { code: 'metric_status_changed' },
    });
    expect(await call('POST', '/metrics/a/model/restart', { how: 'relearn' })).toMatchObject({
      status: 200,
      body: { state: expect.stringMatching(/CREATE_PENDING|ACTIVE/) as string },
    });
    expect(await scores('a')).toEqual(first);
    expect((await call('GET', '/metrics/a/model')).body).toMatchObject({ generation: 2 });
    expect(await call('POST', '/metrics/a/model/clone', { to: 'b' })).toMatchObject({
      status: 201,
      body: { name: 'b', rows: ROWS },
    });
    expect(await scores('b')).toEqual(first);
    expect(await call('POST', '/metrics/a/model/clone', { to: 'b' })).toMatchObject({
      status: 409,
      body: { code: 'metric_already_monitored' },
    });
    expect(await call('POST', '/metrics/a/model/clone', { to: 'c', rows: false })).toMatchObject({
      status: 201,
      body: { name: 'c', rows: 0 },
    });
    await push('c');
    expect(await scores('c')).toEqual(first);
  });

  it('are exported and imported', async () => {
    await call('PUT', '/metrics/a/model', { min: 0, max: 5, userInfo: { owner: 'x' } });
    await call('PUT', '/metrics/b/model', {});
    await call('POST', '/metrics', { name: 'plain' });
    const { body: all } = await call('GET', '/models/export');
    expect(all).toMatchObject({ format: 'htmengine-models', version: 1 });
    const models = all['models'] as { metricSpec: { metric: string } }[];
    expect(models.map(({ metricSpec }) => metricSpec.metric)).toEqual(['a', 'b']);
    expect((await call('GET', '/models/export?name=b')).body['models']).toEqual(models.slice(1));
    expect((await call('GET', '/models/export?name=b&name=none')).status).toBe(404);
    expect((await call('GET', '/models/export?name=plain')).body).toMatchObject({
      code: 'metric_not_monitored',
    });
    await call('DELETE', '/metrics/a');
    const { body } = await call('POST', '/models/import', {
      ...all,
      models: [...models, { metricSpec: { metric: 'c' }, colour: 1 }, 7],
    });
    expect(body['results']).toMatchObject([
      { name: 'a', uid: expect.any(String) as string, outcome: 'monitored' },
      { name: 'b', outcome: 'already_monitored' },
      { name: 'c', uid: null, outcome: 'refused', code: 'invalid_argument' },
      { name: null, outcome: 'refused', code: 'invalid_argument' },
    ]);
    expect((await call('GET', '/models/export')).body).toEqual(all);
  });

  it('go round through the library with their rows', async () => {
    const now = Math.floor(Date.now() / 1000);
    const data = [
      [1.5, new Date((now - 20) * 1000).toISOString().slice(0, 19).replace('T', ' ')],
      [-2, new Date((now - 10) * 1000).toISOString().slice(0, 19).replace('T', ' ')],
    ] as const;
    const spec = {
      datasource: 'custom' as const,
      metricSpec: { metric: 'a', unit: 's' },
      modelParams: { min: 0, max: 1 },
    };
    const metricId = await engine.importModel({ ...spec, data });
    expect(await engine.exportModel(metricId)).toEqual({ ...spec, data });
    expect(await engine.importModel({ ...spec, data: [[9, now]] })).toBe(metricId);
    expect((await engine.exportModel(metricId)).data).toEqual(data);
    for (const wrong of [[[1, 'yesterday']], [['1', now]], 'x', [[1, 5]]]) {
      const refused = engine.importModel({ metricSpec: { metric: 'b' }, data: wrong } as never);
      await expect(refused).rejects.toMatchObject({ code: 'invalid_argument' });
    }
    expect(await engine.findMetric('b')).toBeNull();
  });

  it.each<[string, string, unknown, number, string]>([
    ['POST', '/metrics', {}, 400, 'invalid_request_body'],
    ['POST', '/metrics', { name: 'a\n' }, 400, 'invalid_request_body'],
    ['POST', '/metrics', '[', 400, 'invalid_request_body'],
    ['PUT', '/metrics/a/model', [], 400, 'invalid_request_body'],
    ['PUT', '/metrics/a/model', { min: 1 }, 400, 'invalid_range'],
    ['PUT', '/metrics/a/model', { colour: 1 }, 400, 'invalid_request_body'],
    ['PUT', '/metrics/a/model', { unit: 5 }, 400, 'invalid_request_body'],
    ['PUT', '/metrics/%0A/model', {}, 400, 'invalid_metric_name'],
    ['DELETE', '/metrics/none/model', undefined, 404, 'metric_not_found'],
    ['GET', '/metrics/none/model', undefined, 404, 'metric_not_found'],
    ['POST', '/metrics/none/model/restart', { how: 'retry' }, 404, 'metric_not_found'],
    ['POST', '/metrics/a/model/restart', { how: 'hop' }, 400, 'invalid_request_body'],
    ['POST', '/metrics/none/model/restart', { how: 'skip' }, 404, 'metric_not_found'],
    ['POST', '/metrics/none/model/clone', { to: 'b' }, 404, 'metric_not_found'],
    ['POST', '/metrics/a/model/clone', { to: 5 }, 400, 'invalid_request_body'],
    ['POST', '/models/import', { models: [] }, 400, 'invalid_request_body'],
    [
      'POST',
      '/models/import',
      { format: 'htmengine-models', version: 2, models: [] },
      400,
      'invalid_request_body',
    ],
    ['GET', '/models/export?nme=a', undefined, 400, 'invalid_argument'],
    ['GET', '/nothing', undefined, 404, 'unknown_route'],
  ])('refuse %s %s %j', async (method, path, body, status, code) => {
    expect(await call(method, path, body)).toMatchObject({ status, body: { code } });
  });
});
