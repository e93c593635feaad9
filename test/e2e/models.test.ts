import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine.ts';
import { request } from '../support/api-client.ts';
import { temporaryDirectory, until } from '../support/engine-process.ts';
import { dailySeries } from '../support/series.ts';

/** What is done to models over HTTP, on a whole engine. */
const ROWS = 120;
const SERIES = dailySeries('series', ROWS, 3);

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let engine: Engine;

async function start(): Promise<void> {
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
}

async function end(): Promise<void> {
  await engine.stop();
  await directory.remove();
}

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
  beforeEach(start);
  afterEach(end);

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

  it('go round over HTTP with their rows, from an export to a deletion to an import', async () => {
    const now = Math.floor(Date.now() / 1000);
    const samples = [60, 40, 20].map((age, i) => ({ name: 'a', value: i / 2, timestamp: now - age }));
    await engine.push(samples);
    await engine.push([{ name: 'a', value: 9, timestamp: now - 10 }]);
    await call('PUT', '/metrics/a/model', { min: 0, max: 5, unit: 's', resource: 'host' });
    const exported = (await call('GET', '/models/export?name=a&data=true')).body;
    const [model] = exported['models'] as { data: [number, string][] }[];
    expect(model?.data.map(([value]) => value)).toEqual([0, 0.5, 1, 9]);
    expect((await call('GET', '/models/export?data=true')).body).toMatchObject({ code: 'invalid_argument' });
    await call('DELETE', '/metrics/a');
    expect((await call('POST', '/models/import', exported)).body['results']).toMatchObject([
      { outcome: 'monitored' },
    ]);
    expect((await call('GET', '/models/export?name=a&data=true')).body).toEqual(exported);
    expect((await call('GET', '/metrics/a')).body).toMatchObject({ rows: 4, resource: 'host', unit: 's' });
  });

  it('are monitored by specs as the original takes them, with an error for each contradiction', async () => {
    const { body: created } = await call('POST', '/metrics', { name: 'a' });
    const monitor = (spec: object) => call('POST', '/models', spec);
    const uid = String(created['uid']);
    const byUid = { datasource: 'custom', metricSpec: { uid }, modelParams: { min: 0, max: 1 } };
    expect(await monitor(byUid)).toEqual({ status: 201, body: { datasource: 'custom', uid } });
    expect(await monitor({ metricSpec: { metric: 'a' } })).toMatchObject({
      status: 409,
      body: { code: 'metric_already_monitored', details: { metricId: uid } },
    });
    expect(await monitor({ metricSpec: { metric: 'new' } })).toMatchObject({ status: 201 });
    const complete = {
      modelConfig: {},
      inferenceArgs: { predictedField: 'value' },
      timestampFieldName: 'timestamp',
      valueFieldName: 'value',
    };
    const without = (key: keyof typeof complete) =>
      Object.fromEntries(Object.entries(complete).filter(([name]) => name !== key));
    const metricSpec = { metric: 'b' };
    const wrong: [object, string][] = [
      [{ metricSpec, modelParams: {}, completeModelParams: complete }, 'modelParams'],
      [{ metricSpec, completeModelParams: without('inferenceArgs') }, 'completeModelParams.inferenceArgs'],
      [
        { metricSpec, completeModelParams: without('timestampFieldName') },
        'completeModelParams.timestampFieldName',
      ],
      [{ metricSpec, completeModelParams: without('valueFieldName') }, 'completeModelParams.valueFieldName'],
      [
        { metricSpec, completeModelParams: { ...complete, valueFieldName: 'other' } },
        'completeModelParams.inferenceArgs.predictedField',
      ],
      [{ metricSpec: {} }, 'metricSpec'],
    ];
    for (const [spec, path] of wrong)
      expect(await monitor(spec)).toMatchObject({
        status: 400,
        body: { code: 'invalid_argument', details: { path } },
      });
    expect(await monitor({ metricSpec, modelParams: { min: 1 } })).toMatchObject({
      body: { code: 'invalid_range' },
    });
    expect(await monitor({ metricSpec: { uid: 'none' } })).toMatchObject({ status: 404 });
    expect((await call('GET', '/metrics/b')).status).toBe(404);
  });

  it('come from the datasources of the application, too', async () => {
    engine.datasources.register('weather', (custom) => ({
      monitorMetric: ({ metricSpec }) =>
        custom.monitorMetric({ metricSpec: { metric: `weather.${metricSpec.metric ?? ''}` } }),
      activateModel: (metricId) => custom.activateModel(metricId),
      unmonitorMetric: (metricId) => custom.unmonitorMetric(metricId),
      exportModel: (metricId) => custom.exportModel(metricId),
      importModel: (given) => custom.importModel(given),
      getMatchingResources: (query) => Promise.resolve([{ station: 'Oslo', query }]),
      getInstanceNameForModelSpec: () => 'Oslo',
    }));
    expect((await call('GET', '/datasources')).body).toEqual({ datasources: ['custom', 'weather'] });
    const resources = (query: string) =>
      call('GET', `/datasources/weather/resources?query=${encodeURIComponent(query)}`);
    expect((await resources('{"country":"NO"}')).body).toEqual({
      resources: [{ station: 'Oslo', query: { country: 'NO' } }],
    });
    expect((await resources('Oslo')).body).toEqual({ resources: [{ station: 'Oslo', query: 'Oslo' }] });
    expect(await call('GET', '/datasources/custom/resources')).toMatchObject({
      status: 409,
      body: { code: 'not_supported' },
    });
    expect(await call('GET', '/datasources/none/resources')).toMatchObject({
      status: 404,
      body: { code: 'datasource_not_found' },
    });
    const rain = { datasource: 'weather', metricSpec: { metric: 'rain' } };
    expect(await call('POST', '/models', rain)).toMatchObject({
      status: 201,
      body: { datasource: 'weather' },
    });
    expect((await call('GET', '/metrics/weather.rain')).body).toMatchObject({ state: 'PENDING_DATA' });
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
});

describe('requests about models', () => {
  beforeAll(start);
  afterAll(end);

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
  ])('are refused: %s %s %j', async (method, path, body, status, code) => {
    expect(await call(method, path, body)).toMatchObject({ status, body: { code } });
  });
});
