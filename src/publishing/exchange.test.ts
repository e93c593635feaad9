import { inflateSync } from 'node:zlib';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ExchangeMessage } from '../bus/original.ts';
import { HtmEngineError } from '../errors.ts';
import { MetricStatus, type Metric, type Result } from '../metric.ts';
import type { ModelEvent } from '../store/outbox.ts';
import type { ResultHandler } from './delivery.ts';
import { commandMessage, inferenceMessage } from './exchange-messages.ts';
import { ExchangeFeeder } from './exchange.ts';

const METRIC: Metric = {
  metricId: 'a'.repeat(32),
  name: 'cpu',
  datasource: 'custom',
  description: 'Custom metric cpu',
  server: 'web-1',
  location: '',
  parameters:
    '{"datasource":"custom","metricSpec":{"metric":"cpu","unit":"%"},"modelParams":{"min":0,"max":100}}',
  modelParams: '{}',
  status: MetricStatus.ACTIVE,
  message: null,
  pollIntervalSeconds: 300,
  lastRowid: 2,
  lastTimestamp: 1_700_000_300,
  partition: 3,
};
const result = (rowid: number): Result => ({
  metricId: METRIC.metricId,
  name: 'cpu',
  generation: 4,
  rowid,
  timestamp: 1_700_000_000 + rowid,
  value: rowid / 4,
  rawAnomalyScore: 0.25,
  anomalyScore: 0.5,
  logLikelihood: 0.03,
  displayValue: 0,
  multiStepBestPredictions: rowid === 2 ? { '1': 7.5 } : null,
  backlog: false,
});
const event = (eventId: string, overrides: Partial<ModelEvent> = {}): ModelEvent => ({
  eventId,
  kind: 'built',
  metricId: METRIC.metricId,
  metricName: 'cpu',
  resource: 'web-1',
  generation: 4,
  modelSpec: METRIC.parameters,
  message: null,
  ...overrides,
});
const contentOf = ({ body }: ExchangeMessage): unknown => JSON.parse(inflateSync(body).toString());

describe('messages for the exchange', () => {
  it('hold results as the original had them', async () => {
    const message = await inferenceMessage(METRIC, METRIC.parameters ?? '', [result(1), result(2)]);
    expect(message.headers).toEqual({ generation: 4 });
    expect(contentOf(message)).toEqual({
      metric: {
        uid: METRIC.metricId,
        name: 'cpu',
        description: 'Custom metric cpu',
        resource: 'web-1',
        location: '',
        datasource: 'custom',
        spec: { metric: 'cpu', unit: '%' },
      },
      results: [
        {
          rowid: 1,
          ts: 1_700_000_001,
          value: 0.25,
          rawAnomaly: 0.25,
          anomaly: 0.5,
          multiStepBestPredictions: null,
        },
        {
          rowid: 2,
          ts: 1_700_000_002,
          value: 0.5,
          rawAnomaly: 0.25,
          anomaly: 0.5,
          multiStepBestPredictions: { '1': 7.5 },
        },
      ],
    });
  });

  it.each([
    [
      event('e1'),
      {
        method: 'defineModel',
        status: 0,
        errorMessage: null,
        modelInfo: {
          metricName: 'cpu',
          resource: 'web-1',
          modelSpec: JSON.parse(METRIC.parameters ?? '') as unknown,
        },
      },
    ],
    [
      event('e1', { kind: 'deleted', modelSpec: null }),
      { method: 'deleteModel', status: 0, errorMessage: null },
    ],
    [
      event('e1', { kind: 'failed', message: 'row 3' }),
      { method: 'defineModel', status: 1, errorMessage: 'row 3' },
    ],
  ])('tell what happened to a model: %o', async (given, expected) => {
    const message = await commandMessage(given);
    expect(message.headers).toEqual({ dataType: 'model-cmd-result', generation: 4 });
    expect(contentOf(message)).toEqual({ modelId: METRIC.metricId, commandId: 'e1', ...expected });
  });
});

describe('what feeds the exchange', () => {
  const feeders: ExchangeFeeder[] = [];
  afterEach(async () => {
    await Promise.all(feeders.splice(0).map((feeder) => feeder.stop(1_000)));
  });

  const start = (events: ModelEvent[], metric: Metric | null = METRIC) => {
    const published: ExchangeMessage[] = [];
    const faults = { left: 0 };
    let handler: ResultHandler = () => Promise.resolve();
    const feeder = new ExchangeFeeder({
      publisher: {
        subscribe: (_, given) => {
          handler = given;
          return { unsubscribe: () => Promise.resolve() };
        },
      },
      exchange: {
        publish: (message) => {
          if (faults.left-- > 0) return Promise.reject(new HtmEngineError('broker_unavailable', 'down'));
          published.push(message);
          return Promise.resolve();
        },
        close: () => Promise.resolve(),
      },
      catalogue: { getMetric: () => Promise.resolve(metric) },
      outbox: {
        startKeeping: () => Promise.resolve(),
        stopKeeping: () => Promise.resolve(),
        read: (limit) => Promise.resolve(events.slice(0, limit)),
        remove: (ids) => {
          for (const id of ids)
            events.splice(
              events.findIndex(({ eventId }) => eventId === id),
              1,
            );
          return Promise.resolve();
        },
      },
      telemetry: { log: pino({ level: 'silent' }), registry: new Registry() },
      sweepMs: 5,
    });
    feeders.push(feeder);
    return {
      published,
      faults,
      feeder,
      deliver: (results: Result[]) => handler(results, AbortSignal.timeout(1_000)),
    };
  };

  it('keeps events until they are published, and publishes them in their order', async () => {
    const events = Array.from({ length: 150 }, (_, i) => event(`e${i}`));
    const { published, faults, feeder } = start(events);
    faults.left = 2;
    await feeder.start();
    await vi.waitFor(() => expect(events).toEqual([]));
    expect(published.map((message) => (contentOf(message) as { commandId: string }).commandId)).toEqual(
      Array.from({ length: 150 }, (_, i) => `e${i}`),
    );
  });

  it('tells the publisher of results that could not be published, which brings them again', async () => {
    const { published, faults, feeder, deliver } = start([]);
    await feeder.start();
    faults.left = 1;
    await expect(deliver([result(1)])).rejects.toMatchObject({ code: 'broker_unavailable' });
    await deliver([result(1)]);
    expect(published).toHaveLength(1);
  });

  it('publishes nothing of a metric that is not monitored any more', async () => {
    const { published, feeder, deliver } = start([], { ...METRIC, parameters: null });
    await feeder.start();
    await deliver([result(1)]);
    expect(published).toEqual([]);
  });
});
