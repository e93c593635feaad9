import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine.ts';
import { originalParameters } from '../../src/htm/testing/original-parameters.ts';
import { MetricStatus } from '../../src/metric.ts';
import type { ModelSpec } from '../../src/monitoring/model-spec.ts';
import { baseUrl } from '../support/api-client.ts';
import { temporaryDirectory, until } from '../support/engine-process.ts';

/** The original's acceptance scenarios (system reference, section 11.1 and 11.2) of complete parameters, export and import. */
let engine: Engine;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeEach(async () => {
  directory = await temporaryDirectory();
  engine = new Engine({
    dataDirectory: directory.path,
    listener: { graphite: { enabled: false } },
    api: { port: 0 },
    scheduler: { workers: 1 },
    log: { level: 'silent' },
  });
  await engine.start();
});

afterEach(async () => {
  await engine.stop();
  await directory.remove();
});

const NOW = Math.floor(Date.now() / 1000 / 300) * 300;
const DAY = 86_400;

const completeModelParams = {
  ...originalParameters('cpp'),
  timestampFieldName: 'c0',
  valueFieldName: 'c1',
} as NonNullable<ModelSpec['completeModelParams']>;
const specOf = (metric: string): ModelSpec => ({
  datasource: 'custom',
  metricSpec: { metric },
  completeModelParams,
});

async function find(name: string) {
  const metric = await engine.findMetric(name);
  if (metric === null) throw new Error(`no metric ${name}`);
  return metric;
}

const active = (name: string) =>
  until(`${name} to be ACTIVE`, async () => (await find(name)).status === MetricStatus.ACTIVE);

describe('models in the original form', () => {
  it('28: complete parameters: active at once, with a score for each row, and kept as they were given', async () => {
    await engine.push([{ name: 'complete', value: 1, timestamp: NOW - 300 }]);
    await engine.monitorMetric(specOf('complete'));
    await active('complete');
    const { metricId, parameters } = await find('complete');
    expect(JSON.parse(parameters ?? '')).toEqual(specOf('complete'));
    await engine.push([{ name: 'complete', value: 2, timestamp: NOW }]);
    await until('two scores', async () => {
      const rows = await engine.readData(metricId, { limit: 10 });
      return rows.filter(({ anomalyScore }) => anomalyScore !== null).length === 2;
    });
  });

  it('29-33: a contradiction is refused, and no metric is left behind', async () => {
    const spec = { ...specOf('refused'), modelParams: {} };
    await expect(engine.monitorMetric(spec)).rejects.toMatchObject({
      code: 'invalid_argument',
      details: { path: 'modelParams' },
    });
    expect(await engine.findMetric('refused')).toBeNull();
  });

  it('28 to 33, over HTTP: complete parameters are taken, and contradictions refused', async () => {
    const monitor = (body: object) =>
      fetch(`${baseUrl(engine)}/api/v1/metrics/remote/model`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const refused = await monitor({ min: 0, max: 1, completeModelParams });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ code: 'invalid_argument' });
    expect((await monitor({ completeModelParams })).ok).toBe(true);
    await active('remote');
    expect(JSON.parse((await find('remote')).parameters ?? '')).toEqual(specOf('remote'));
  });

  it('17: an export has the rows of the last 14 days, with name and datasource', async () => {
    await engine.push([
      { name: 'exported', value: 1, timestamp: NOW - 15 * DAY },
      { name: 'exported', value: 2, timestamp: NOW - 13 * DAY },
      { name: 'exported', value: 3, timestamp: NOW },
    ]);
    const metricId = await engine.monitorMetric({ metricSpec: { metric: 'exported' } });
    const time = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
    expect(await engine.exportModel(metricId)).toEqual({
      datasource: 'custom',
      metricSpec: { metric: 'exported' },
      data: [
        [2, time(NOW - 13 * DAY)],
        [3, time(NOW)],
      ],
    });
  });

  it.each([
    ['40: without a range', { metricSpec: { metric: 'moved' } }, MetricStatus.PENDING_DATA],
    ['41: with complete parameters', specOf('moved'), MetricStatus.ACTIVE],
  ])('%s export, delete, import and export come to the same', async (_what, spec: ModelSpec, status) => {
    await engine.push([
      { name: 'moved', value: 1, timestamp: NOW - 300 },
      { name: 'moved', value: 2, timestamp: NOW },
    ]);
    const exported = await engine.exportModel(await engine.monitorMetric(spec));
    await engine.deleteMetricByName('moved');
    const metricId = await engine.importModel(
      JSON.parse(JSON.stringify(exported)) as Awaited<ReturnType<Engine['exportModel']>>,
    );
    await until('the state', async () => (await find('moved')).status === status);
    expect(await engine.exportModel(metricId)).toEqual(exported);
  });
});
