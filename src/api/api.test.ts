import { pino } from 'pino';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import type { DatasourceAdapter } from '../datasources/adapter.ts';
import { HtmEngineError } from '../errors.ts';
import type { GivenSample, SampleOutcome } from '../intake.ts';
import { MetricStatus } from '../metric.ts';
import type { DataRow, MetricSummary, Queries } from '../store/queries.ts';
import { Api } from './server.ts';
import type { ApiServices } from './services.ts';

const row = (rowid: number, value: number, anomalyScore: number | null): DataRow => ({
  rowid,
  timestamp: 1_700_000_000 + rowid,
  value,
  rawAnomalyScore: anomalyScore,
  anomalyScore,
  displayValue: null,
  multiStepBestPredictions: null,
});

/** An API over one stored metric, `/load` or whatever `name` says. */
function makeApi(
  name = 'load',
  rows: DataRow[] = [row(1, 5, 0.5), row(2, 1.25, 0.75), row(3, -7, null)],
  maxBodyBytes = 1000,
) {
  const summary: MetricSummary = {
    metricId: 'ab'.repeat(16),
    name,
    status: MetricStatus.ACTIVE,
    message: null,
    rows: rows.length,
    scoredRows: 2,
    lastTimestamp: 1_700_000_003,
    lastValue: -7,
    lastScoredTimestamp: 1_700_000_002,
    lastAnomalyScore: 0.75,
    generation: 1,
    learning: { rows: 2, of: 388 },
    spec: '{"datasource":"custom","metricSpec":{"metric":"load","userInfo":{"demo":true}}}',
  };
  const monitored: string[] = [];
  const given: GivenSample[] = [];
  const queries: Queries = {
    listMetrics: (after) => Promise.resolve(after < name ? [summary] : []),
    describeMetric: (asked) => Promise.resolve(asked === name ? summary : null),
    readData: (_id, { limit, afterRowid = 0, newestFirst = false }) => {
      const found = rows.filter(({ rowid }) => rowid > afterRowid);
      return Promise.resolve((newestFirst ? found.reverse() : found).slice(0, limit));
    },
    readBuckets: () => Promise.resolve([]),
    anomalyBars: () => Promise.resolve([]),
    totals: () => Promise.resolve({ metrics: {}, rows: 0, unprocessedRows: 0 }),
    describeModel: () => Promise.resolve(null),
    recentScores: (metricIds, asked) =>
      Promise.resolve(
        metricIds.map((metricId) => ({
          metricId,
          generation: 1,
          scoredRowid: 2,
          anomalyScores: [0.5, 0.75].slice(-asked),
        })),
      ),
  };
  const services: ApiServices = {
    queries,
    control: {
      createMetric: () => Promise.resolve(''),
      renameMetric: () => Promise.resolve(),
      activateModel: () => Promise.resolve(),
      unmonitorMetric: () => Promise.resolve(),
      cloneModel: () => Promise.resolve(''),
      monitorMetric: (spec) => {
        const { metricSpec, modelParams } = spec as {
          metricSpec: { metric: string };
          modelParams: object;
        };
        if (metricSpec.metric === name) {
          return Promise.reject(new HtmEngineError('metric_already_monitored', 'monitored already'));
        }
        if ('min' in modelParams !== 'max' in modelParams) {
          return Promise.reject(new HtmEngineError('invalid_range', 'give both min and max or neither'));
        }
        monitored.push(metricSpec.metric);
        return Promise.resolve('cd'.repeat(16));
      },
      deleteMetricByName: (asked) =>
        asked === name
          ? Promise.resolve()
          : Promise.reject(new HtmEngineError('metric_not_found', 'there is none')),
    },
    models: {
      restart: () => Promise.resolve(),
      change: () => Promise.resolve(),
      doNotLearn: () => Promise.resolve(),
      deleteRows: () => Promise.resolve(0),
    },
    reports: {
      describe: () => Promise.reject(new HtmEngineError('metric_not_monitored', 'no')),
      likelihood: () => Promise.reject(new HtmEngineError('metric_not_monitored', 'no')),
    },
    intake: (samples) => {
      given.push(...samples);
      return Promise.resolve(
        samples.map((sample): SampleOutcome => {
          if (sample.timestamp === 1) return { accepted: false, reason: 'time_before_1990' };
          return { accepted: true, sample: { ...sample, timestamp: sample.timestamp ?? 0 } };
        }),
      );
    },
    retention: {
      status: () => ({ maxAgeSeconds: 0, running: false, failure: null, lastPass: null }),
      begin: () => undefined,
      maxAge: () => Promise.resolve(null),
      setMaxAge: () => Promise.resolve(),
    },
    telemetry: { log: pino({ level: 'silent' }), registry: new Registry() },
    incidents: {
      list: () => Promise.resolve({ incidents: [], more: false }),
      acknowledge: () => Promise.resolve(0),
      mute: () => Promise.reject(new HtmEngineError('overloaded', 'no')),
      mutes: () => Promise.resolve([]),
      unmute: () => Promise.resolve(),
      callUsual: () => Promise.reject(new HtmEngineError('span_not_found', 'no')),
      usualPatterns: () => Promise.resolve([]),
      forgetUsual: () => Promise.resolve(),
    },
    exportModel: () => Promise.reject(new HtmEngineError('metric_not_monitored', 'no')),
    datasources: { names: () => ['custom'], create: () => ({}) as DatasourceAdapter },
    importModel: () => Promise.reject(new HtmEngineError('invalid_argument', 'no')),
    refusals: { count: () => undefined },
    readLine: () => 'malformed',
    leases: { look: () => Promise.resolve({ members: [], leases: [] }) },
    version: '0',
    subscribeLive: () => Promise.resolve({ unsubscribe: () => Promise.resolve() }),
    readResults: () => Promise.resolve(null),
    logLikelihood: (anomalyScore) => anomalyScore / 2,
    ready: () => Promise.resolve(),
  };
  const options = {
    host: '127.0.0.1',
    port: 0,
    maxBodyBytes,
    pageDirectory: '/nonexistent',
    maxConnections: 10,
    requestTimeoutMs: 10_000,
    maxRequestsPerMinute: 0,
    basePath: '',
    tokens: '',
    tokensFile: '',
    insecure: false,
    allowedHosts: '',
    allowedOrigins: '',
    tlsCertFile: '',
    tlsKeyFile: '',
    maxSamples: 10,
    maxUnpackedBytes: 1000,
    recentMetrics: 10,
    streams: { max: 1, ringResults: 10, heartbeatMs: 1000, stallMs: 1000 },
  };
  return { api: new Api(options, services), monitored, given };
}

describe('the text interface', () => {
  it('lists rows as the original did: floats as floats, None where unscored, the path as the client wrote it', async () => {
    const { api } = makeApi();
    const answer = await api.inject({ method: 'GET', url: '/load' });
    expect(answer.statusCode).toBe(200);
    expect(answer.body).toBe(
      '/load 5.0 1700000001 0.5\n/load 1.25 1700000002 0.75\n/load -7.0 1700000003 None\n',
    );
  });

  it('gives the newest rows for a limit, still oldest first', async () => {
    const { api } = makeApi();
    const answer = await api.inject({ method: 'GET', url: '/load?limit=2' });
    expect(answer.body.split('\n').map((line) => line.split(' ')[2])).toEqual([
      '1700000002',
      '1700000003',
      undefined,
    ]);
    for (const limit of ['0', '-1', 'x', '1.5', '100001']) {
      expect((await api.inject({ method: 'GET', url: `/load?limit=${limit}` })).statusCode, limit).toBe(400);
    }
  });

  it('sends everything by default, however much that is', async () => {
    const many = Array.from({ length: 25_000 }, (_, i) => row(i + 1, i, null));
    const { api } = makeApi('long', many);
    const answer = await api.inject({ method: 'GET', url: '/long' });
    expect(answer.body.split('\n')).toHaveLength(25_001);
    expect(answer.body.endsWith('/long 24999.0 1700025000 None\n')).toBe(true);
  });

  it('answers 404 for an unknown metric', async () => {
    const { api } = makeApi();
    expect((await api.inject({ method: 'GET', url: '/other' })).statusCode).toBe(404);
    expect((await api.inject({ method: 'DELETE', url: '/other' })).statusCode).toBe(404);
    expect((await api.inject({ method: 'DELETE', url: '/load' })).statusCode).toBe(200);
  });

  it('monitors under the name without the slash, and tells each failure apart', async () => {
    const { api, monitored } = makeApi();
    const put = (url: string, payload: string) => api.inject({ method: 'PUT', url, payload });
    const created = await put('/a/b%20c', '{"min":0,"max":12}');
    expect([created.statusCode, created.body]).toEqual([201, `Created ${'cd'.repeat(16)}\n`]);
    expect(monitored).toEqual(['a/b c']);
    const again = await put('/load', '{}');
    expect([again.statusCode, again.body]).toEqual([409, 'Model already exists for /load\n']);
    for (const body of ['', 'nonsense', '[]', '3', 'null']) {
      const refused = await put('/new', body);
      expect([refused.statusCode, refused.body.startsWith('Unable to parse request')], body).toEqual([
        400,
        true,
      ]);
    }
    expect((await put('/new', '{"min":1}')).statusCode).toBe(400);
    expect(monitored).toEqual(['a/b c']);
  });

  it('answers one line per posted line and keeps the good ones', async () => {
    const { api, given } = makeApi();
    const payload = '1.62 1434229721\nnan 1434229722\r\n\n5 1\n0x10 1434229723\n';
    const answer = await api.inject({ method: 'POST', url: '/load', payload });
    expect(answer.statusCode).toBe(200);
    expect(answer.body.split('\n')).toEqual([
      'Saved /load 1.620000 @ 1434229721',
      'Refused /load nan 1434229722 (malformed: a line is "value timestamp")',
      'Refused /load 5 1 (time_before_1990)',
      'Refused /load 0x10 1434229723 (malformed: a line is "value timestamp")',
      '',
    ]);
    expect(given.map(({ name, value }) => [name, value])).toEqual([
      ['load', 1.62],
      ['load', 5],
    ]);
  });

  it('answers 400 when nothing could be read and 413 when the body is too large', async () => {
    const { api } = makeApi();
    const post = (payload: string | Buffer) => api.inject({ method: 'POST', url: '/load', payload });
    expect((await post('what')).statusCode).toBe(400);
    expect((await post('')).statusCode).toBe(400);
    expect((await post(Buffer.from([0xff, 0xfe]))).statusCode).toBe(400);
    expect((await post('1 1434229721\n'.repeat(1000))).statusCode).toBe(413);
  });

  it('keeps reserved first parts and other methods to itself, with a hint', async () => {
    const { api, monitored } = makeApi();
    const reserved = await api.inject({ method: 'PUT', url: '/api/thing', payload: '{}' });
    expect([reserved.statusCode, reserved.body.includes('reserved')]).toEqual([409, true]);
    const health = await api.inject({ method: 'POST', url: '/healthz', payload: '1 1434229721' });
    expect([health.statusCode, health.body.includes('/x/healthz')]).toEqual([409, true]);
    const patch = await api.inject({ method: 'PATCH', url: '/load' });
    expect([patch.statusCode, patch.headers.allow]).toEqual([405, 'GET, PUT, POST, DELETE']);
    for (const method of ['PUT', 'POST', 'DELETE'] as const) {
      expect((await api.inject({ method, url: '/', payload: '{}' })).statusCode, method).toBe(400);
    }
    // Where the page is.
    expect((await api.inject({ method: 'GET', url: '/' })).body).toContain('page');
    expect((await api.inject({ method: 'PUT', url: `/${'n'.repeat(256)}`, payload: '{}' })).statusCode).toBe(
      400,
    );
    expect(monitored).toEqual([]);
  });
});

describe('pages of other sites', () => {
  it('may not change anything through the browser of a user, while our own page and programs may', async () => {
    const { api, monitored } = makeApi();
    const put = (headers: Record<string, string>) =>
      api.inject({ method: 'PUT', url: '/cpu', payload: '{"min":0,"max":1}', headers });
    for (const origin of ['http://evil.example', 'null', 'http://localhost:8080.evil.example']) {
      expect((await put({ host: 'localhost:8080', origin })).statusCode).toBe(403);
    }
    expect(monitored).toEqual([]);
    expect((await put({ host: 'localhost:8080', origin: 'http://localhost:8080' })).statusCode).toBe(201);
    expect((await put({ host: 'localhost:8080' })).statusCode).toBe(201);
    const read = { host: 'localhost:8080', origin: 'http://evil.example' };
    expect((await api.inject({ url: '/api/v1/metrics', headers: read })).statusCode).toBe(200);
  });
});

describe('the JSON interface', () => {
  it('lists metrics with their state and newest score', async () => {
    const { api } = makeApi();
    const answer = await api.inject({ method: 'GET', url: '/api/v1/metrics' });
    expect(answer.json()).toEqual({
      metrics: [
        {
          name: 'load',
          uid: 'ab'.repeat(16),
          state: 'ACTIVE',
          message: null,
          rows: 3,
          scoredRows: 2,
          lastTimestamp: 1_700_000_003,
          lastValue: -7,
          learning: { rows: 2, of: 388 },
          lastScore: 0.75,
          lastLogLikelihood: 0.375,
          resource: null,
          unit: null,
          demo: true,
          lastScoredTimestamp: 1_700_000_002,
        },
      ],
      next: null,
    });
  });

  it('adds strips of recent log-likelihoods, as long as they are asked for', async () => {
    const { api } = makeApi();
    const strip = async (url: string) =>
      (await api.inject({ method: 'GET', url })).json<{ recent: number[] }>().recent;
    expect(await strip('/api/v1/metrics/load?recent=120')).toEqual([0.25, 0.375]);
    expect(await strip('/api/v1/metrics/load?recent=1')).toEqual([0.375]);
    expect(await strip('/api/v1/metrics/load')).toBeUndefined();
    for (const recent of ['0', '121', 'x', '1.5']) {
      const refused = await api.inject({ method: 'GET', url: `/api/v1/metrics?recent=${recent}` });
      expect([refused.statusCode, refused.json<{ code: string }>().code]).toEqual([400, 'invalid_argument']);
    }
  });

  it('serves the rows of a metric whose name has slashes and other script', async () => {
    const { api } = makeApi('straße/1 ü');
    const answer = await api.inject({
      method: 'GET',
      url: `/api/v1/metrics/${encodeURIComponent('straße/1 ü')}/data?limit=1&order=desc`,
    });
    expect(answer.json()).toMatchObject({
      name: 'straße/1 ü',
      rows: [{ rowid: 3, value: -7, anomalyScore: null }],
    });
  });

  it('names the parameter and the rule that a query breaks', async () => {
    const { api } = makeApi();
    const answer = await api.inject({ method: 'GET', url: '/api/v1/metrics/load/data?limit=0' });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({
      code: 'invalid_argument',
      detail: expect.stringContaining('limit') as string,
    });
    expect((await api.inject({ method: 'GET', url: '/api/v1/metrics/none/data' })).statusCode).toBe(404);
    expect((await api.inject({ method: 'GET', url: '/api/v1/metrics?unknown=1' })).statusCode).toBe(400);
  });
});

it('reads hostile numbers in linear time', async () => {
  const { api } = makeApi('load', [], 1_000_000);
  const answer = await api.inject({
    method: 'POST',
    url: '/load',
    payload: `${'1'.repeat(900_000)}x 1434229721`,
  });
  expect(answer.statusCode).toBe(400);
});
