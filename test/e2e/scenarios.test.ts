import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine.ts';
import { MetricStatus, statusName } from '../../src/metric.ts';
import { temporaryDirectory, until } from '../support/engine-process.ts';
import { connectTo, sendAll } from '../support/sender.ts';

/**
 * The original's acceptance scenarios (system reference, section 11.1 and 11.2) on a whole engine in this process:
 * samples over TCP, operations through the library. The numbers are the reference's. Where design.md decides
 * otherwise (scores before the first fit are 0.5, samples refused by rule) ours is tested.
 */
let engine: Engine;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeEach(async () => {
  directory = await temporaryDirectory();
  engine = new Engine({
    dataDirectory: directory.path,
    listener: { graphite: { port: 0 } },
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

/** A time a little in the past, on a whole 5 minutes. */
const NOW = Math.floor(Date.now() / 1000 / 300) * 300;
const FIVE_MINUTES = 300;

function graphitePort(): number {
  const { graphite } = engine.addresses;
  if (graphite === null) throw new Error('no Graphite listener');
  return graphite.port;
}

const send = (...lines: string[]) => sendAll(graphitePort(), lines.map((line) => `${line}\n`).join(''));

async function find(name: string) {
  const metric = await engine.findMetric(name);
  if (metric === null) throw new Error(`no metric ${name}`);
  return metric;
}

async function rowsOf(name: string) {
  return engine.readData((await find(name)).metricId, { limit: 10_000 });
}

const stored = (name: string, rows: number) =>
  until(`${rows} rows of ${name}`, async () => ((await engine.findMetric(name))?.lastRowid ?? 0) >= rows);

const scored = (name: string, rows: number) =>
  until(`${rows} scored rows of ${name}`, async () => {
    const data = await rowsOf(name);
    return data.filter(({ anomalyScore }) => anomalyScore !== null).length >= rows;
  });

const status = (name: string, wanted: keyof typeof MetricStatus) =>
  until(`${name} to be ${wanted}`, async () => statusName((await find(name)).status) === wanted);

const monitor = (metric: string, modelParams: Record<string, number | boolean> = {}) =>
  engine.monitorMetric({ datasource: 'custom', metricSpec: { metric }, modelParams });

async function resolutionOf(name: string): Promise<number> {
  const { modelParams } = await find(name);
  const found = /"resolution":([0-9.e+-]+)/.exec(modelParams ?? '');
  return Number(found?.[1]);
}

/** `values` as rows 5 minutes apart that end now. */
function history(name: string, values: readonly number[]): string[] {
  return values.map((value, i) => `${name} ${value} ${NOW - FIVE_MINUTES * (values.length - i)}`);
}

describe('custom metrics, end to end', () => {
  it('1: stores and scores rows at uneven times, also those sent before the model existed', async () => {
    await send(`uneven 5.0 ${NOW - 900}`);
    await stored('uneven', 1);
    await monitor('uneven', { min: 0, max: 100 });
    await send(`uneven 6.0 ${NOW - 900 + 299}`, `uneven 7.0 ${NOW - 900 + 599}`);
    await scored('uneven', 3);
    const rows = await rowsOf('uneven');
    expect(rows.map(({ rowid, anomalyScore }) => [rowid, anomalyScore])).toEqual([
      [1, 0.5],
      [2, 0.5],
      [3, 0.5],
    ]);
  });

  it('2: creates a metric from a sample, monitors it by uid, clears results on unmonitor and removes it on delete', async () => {
    await send(`made 5.0 ${NOW}`);
    await stored('made', 1);
    const { metricId, server } = await find('made');
    expect(server).toBe('made');
    const spec = {
      datasource: 'custom',
      metricSpec: { uid: metricId },
      modelParams: { min: 0, max: 100 },
    } as const;
    expect(await engine.monitorMetric(spec)).toBe(metricId);
    await scored('made', 1);
    await engine.unmonitorMetric(metricId);
    expect(await rowsOf('made')).toMatchObject([
      { value: 5, rawAnomalyScore: null, anomalyScore: null, displayValue: null },
    ]);
    expect(await engine.checkpoints(metricId)).toEqual([]);
    await engine.deleteMetricByName('made');
    expect(await engine.findMetric('made')).toBeNull();
  });

  it('3: a name that was deleted can be sent, monitored and deleted again', async () => {
    for (let round = 0; round < 2; round++) {
      await send(`again 1 ${NOW}`);
      await stored('again', 1);
      await monitor('again', { min: 0, max: 10 });
      await scored('again', 1);
      await engine.deleteMetricByName('again');
      expect(await engine.findMetric('again')).toBeNull();
    }
  });

  it('4: estimates the range from the values themselves, padded by a fifth of their span', async () => {
    await send(...history('stats', [5, 6, 7]));
    await stored('stats', 3);
    await monitor('stats');
    await engine.activateModel((await find('stats')).metricId);
    // 5..7 spans 2; with a fifth on each side 2.8, of which the resolution is the 130th part.
    expect(await resolutionOf('stats')).toBeCloseTo(2.8 / 130, 12);
  });

  it('5: opens at once on 288 rows, with the resolution of the formula', async () => {
    await send(...history('enough', [5000, ...Array.from({ length: 287 }, () => 7000)]));
    await stored('enough', 288);
    const metricId = await monitor('enough');
    const { status: now } = await find('enough');
    expect([MetricStatus.CREATE_PENDING, MetricStatus.ACTIVE]).toContain(now);
    expect(metricId).toBe((await find('enough')).metricId);
    expect(await resolutionOf('enough')).toBeCloseTo(2800 / 130, 12);
  });

  it('6: waits with two rows and opens by itself when 288 are there', async () => {
    await send(...history('delayed', [0, 7000]));
    await stored('delayed', 2);
    await monitor('delayed');
    expect((await find('delayed')).status).toBe(MetricStatus.PENDING_DATA);
    const rest = Array.from({ length: 286 }, (_, i) => `delayed 7000 ${NOW + FIVE_MINUTES * i}`);
    await send(...rest);
    await status('delayed', 'ACTIVE');
    await scored('delayed', 288);
    expect(await resolutionOf('delayed')).toBeCloseTo((7000 * 1.4) / 130, 9);
    expect(await rowsOf('delayed')).toHaveLength(288);
  });

  it('7: the same with 988 rows in one go', async () => {
    await send(...history('burst', [1, 2]));
    await stored('burst', 2);
    await monitor('burst');
    // A day ahead is the most that is accepted, so these rows are one a minute.
    await send(...Array.from({ length: 986 }, (_, i) => `burst ${i % 97} ${NOW + 60 * i}`));
    await status('burst', 'ACTIVE');
    await scored('burst', 988);
    expect((await rowsOf('burst')).map(({ rowid }) => rowid)).toEqual(
      Array.from({ length: 988 }, (_, i) => i + 1),
    );
  });

  it('8: refuses one bound without the other and leaves the metric as it was', async () => {
    await send(`half.range 1 ${NOW}`);
    await stored('half.range', 1);
    await expect(monitor('half.range', { min: 5 })).rejects.toMatchObject({ code: 'invalid_range' });
    expect(await find('half.range')).toMatchObject({ status: MetricStatus.UNMONITORED, parameters: null });
  });

  it('9: takes an explicit range as it is', async () => {
    await monitor('explicit', { min: 5000, max: 10_000 });
    const resolution = await resolutionOf('explicit');
    expect(resolution).toBe(5000 / 130);
    expect(resolution).toBeGreaterThanOrEqual(5000 / 300);
    expect(resolution).toBeLessThanOrEqual(5000 / 80);
  });

  it('10, 11: keeps resource and userInfo in the spec, and the resource as server', async () => {
    const metricSpec = { metric: 'with.resource', resource: 'rack 7', userInfo: { team: 'blue', pages: 3 } };
    await engine.monitorMetric({ datasource: 'custom', metricSpec, modelParams: { min: 0, max: 1 } });
    const { parameters, server } = await find('with.resource');
    expect(server).toBe('rack 7');
    expect(JSON.parse(parameters ?? '')).toEqual({
      datasource: 'custom',
      metricSpec,
      modelParams: { min: 0, max: 1 },
    });
  });

  it('12, 13: three samples over one connection, and over three', async () => {
    await monitor('one', { min: 0, max: 10 });
    await monitor('three', { min: 0, max: 10 });
    await send(`one 1 ${NOW}`, `one 2 ${NOW + 1}`, `one 3 ${NOW + 2}`);
    for (const i of [0, 1, 2]) await send(`three ${i + 1} ${NOW + i}`);
    for (const name of ['one', 'three']) {
      await scored(name, 3);
      expect(
        (await rowsOf(name)).map(({ rowid, value, anomalyScore }) => [rowid, value, anomalyScore]),
      ).toEqual([
        [1, 1, 0.5],
        [2, 2, 0.5],
        [3, 3, 0.5],
      ]);
    }
  });

  it('14: accepts fractional times and stores whole seconds', async () => {
    await send(`fraction 1 ${NOW}.75`);
    await stored('fraction', 1);
    expect((await rowsOf('fraction')).map(({ timestamp }) => timestamp)).toEqual([NOW]);
  });

  it('15: keeps two metrics over two interleaved connections apart', async () => {
    const [a, b] = await Promise.all([connectTo(graphitePort()), connectTo(graphitePort())]);
    for (let i = 0; i < 20; i++) {
      a.write(`left ${i} ${NOW + i}\n`);
      b.write(`right ${100 + i} ${NOW + i}\n`);
    }
    a.end();
    b.end();
    await stored('left', 20);
    await stored('right', 20);
    expect((await rowsOf('left')).map(({ value }) => value)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect((await rowsOf('right')).map(({ value }) => value)).toEqual(
      Array.from({ length: 20 }, (_, i) => 100 + i),
    );
  });

  it('16: stores a valid line that follows four invalid ones', async () => {
    await send('just.a.name', `words one ${NOW}`, `late 1 yesterday`, `four 1 ${NOW} more`, `valid 1 ${NOW}`);
    await stored('valid', 1);
    for (const name of ['just.a.name', 'words', 'late', 'four'])
      expect(await engine.findMetric(name), name).toBeNull();
  });
});

describe('the adapter', () => {
  it('18, 19: creates a metric once and names the existing one the second time', async () => {
    const metricId = await engine.createMetric('fresh');
    expect(await find('fresh')).toMatchObject({
      metricId,
      status: MetricStatus.UNMONITORED,
      datasource: 'custom',
    });
    await expect(engine.createMetric('fresh')).rejects.toMatchObject({
      code: 'metric_already_exists',
      details: { metricId },
    });
  });

  it('20, 21: deletes by name, unmonitored or with a model, whose checkpoints go too', async () => {
    await engine.createMetric('idle');
    await engine.deleteMetricByName('idle');
    expect(await engine.findMetric('idle')).toBeNull();
    const metricId = await monitor('busy', { min: 0, max: 1 });
    await status('busy', 'ACTIVE');
    await engine.deleteMetricByName('busy');
    expect(await engine.findMetric('busy')).toBeNull();
    expect(await engine.checkpoints(metricId)).toEqual([]);
    await expect(engine.deleteMetricByName('busy')).rejects.toMatchObject({ code: 'metric_not_found' });
  });

  it('22, 23: without parameters it waits for data, and keeps the spec', async () => {
    await engine.monitorMetric({ datasource: 'custom', metricSpec: { metric: 'plain', unit: 'ms' } });
    expect((await find('plain')).status).toBe(MetricStatus.PENDING_DATA);
    expect(JSON.parse((await find('plain')).parameters ?? '')).toEqual({
      datasource: 'custom',
      metricSpec: { metric: 'plain', unit: 'ms' },
    });
    await engine.monitorMetric({ datasource: 'custom', metricSpec: { metric: 'placed', resource: 'here' } });
    expect(await find('placed')).toMatchObject({ status: MetricStatus.PENDING_DATA, server: 'here' });
  });

  it('25: 288 rows and then monitor: active, with results', async () => {
    await send(
      ...history(
        'day',
        Array.from({ length: 288 }, (_, i) => i % 24),
      ),
    );
    await stored('day', 288);
    await monitor('day');
    await status('day', 'ACTIVE');
    await scored('day', 288);
  });

  it('26, 34: min and max: active, classifier off; minResolution is a floor', async () => {
    await monitor('ranged', { min: 0, max: 100 });
    await status('ranged', 'ACTIVE');
    expect(await resolutionOf('ranged')).toBe(100 / 130);
    await monitor('floored', { min: 0, max: 1, minResolution: 0.5 });
    expect(await resolutionOf('floored')).toBe(0.5);
    await send(`ranged 5 ${NOW}`);
    await scored('ranged', 1);
    expect((await rowsOf('ranged'))[0]?.multiStepBestPredictions).toBeNull();
  });

  it('35: monitoring twice names the monitored one', async () => {
    const metricId = await monitor('twice', { min: 0, max: 1 });
    await expect(monitor('twice', { min: 0, max: 1 })).rejects.toMatchObject({
      code: 'metric_already_monitored',
      details: { metricId },
    });
  });

  it('36: activate makes a waiting metric active with two rows', async () => {
    await send(...history('early', [1, 2]));
    await stored('early', 2);
    const metricId = await monitor('early', { minResolution: 3 });
    await engine.activateModel(metricId);
    await status('early', 'ACTIVE');
    expect(await resolutionOf('early')).toBe(3);
  });

  it('27, 37: with the classifier on, monitored or activated, predictions are stored and served', async () => {
    await monitor('predicted', { min: 0, max: 10, enableClassifier: true });
    await send(...history('waits', [1, 2]));
    await stored('waits', 2);
    await engine.activateModel(await monitor('waits', { enableClassifier: true }));
    await send(...history('predicted', [1, 9, 1, 9, 1]));
    await scored('predicted', 5);
    await scored('waits', 2);
    for (const name of ['predicted', 'waits']) {
      expect(JSON.parse((await find(name)).modelParams ?? '')).toMatchObject({ classifier: { steps: [1] } });
      const last = (await rowsOf(name)).at(-1)?.multiStepBestPredictions;
      expect(Object.keys(JSON.parse(last ?? '{}') as object)).toEqual(['1']);
    }
    const { http } = engine.addresses;
    const answer = await fetch(
      `http://127.0.0.1:${http?.port ?? 0}/api/v1/metrics/predicted/data?limit=1&order=desc`,
    );
    const { rows } = (await answer.json()) as {
      rows: { multiStepBestPredictions: Record<string, number> }[];
    };
    expect(typeof rows[0]?.multiStepBestPredictions['1']).toBe('number');
  });

  it('38, 39: unmonitor from waiting and from active', async () => {
    const waiting = await monitor('waiting');
    await engine.unmonitorMetric(waiting);
    expect(await find('waiting')).toMatchObject({
      status: MetricStatus.UNMONITORED,
      parameters: null,
      modelParams: null,
    });
    const active = await monitor('active', { min: 0, max: 1 });
    await status('active', 'ACTIVE');
    await engine.unmonitorMetric(active);
    expect(await find('active')).toMatchObject({
      status: MetricStatus.UNMONITORED,
      parameters: null,
      modelParams: null,
    });
    expect(await engine.checkpoints(active)).toEqual([]);
  });
});
