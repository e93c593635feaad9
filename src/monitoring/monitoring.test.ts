import type { ModelChange, ModelCommand } from '../model-command.ts';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { HtmEngineError } from '../errors.ts';
import type { GenerationRequest } from '../generation.ts';
import { scalarAnomalyParameters } from '../htm/index.ts';
import { CUSTOM_DATASOURCE, MetricStatus, type Metric } from '../metric.ts';
import type { Catalogue, MetricCopy, Relearning } from '../store/catalogue.ts';
import type { DeletionOutcome, RowDeletion } from '../store/retention.ts';
import { checkpointLost } from '../model-failure.ts';
import { automaticRequest } from './generation-request.ts';
import { Monitoring } from './monitoring.ts';

/** Rows before this time are learned, where a test asks. */
const LEARNED_UNTIL = 5_000;
/** Never the present one. */
const OTHER_GENERATION = 99;
const CEILING = { maxSegments: 7000, maxSynapses: 90_000 };

interface MemoryMetric {
  name: string;
  status: MetricStatus;
  /** Rows stored. */
  rows: number;
  /** Batches of results of closed generations that are still to be cleared. */
  oldResults: number;
  discarded: boolean;
  message: string | null;
  request: GenerationRequest | null;
}

/** The catalogue's rules over metrics in memory. Notes what changes, in order. */
class MemoryCatalogue implements Catalogue {
  readonly metrics = new Map<string, MemoryMetric>();
  readonly notes: string[] = [];
  discardedBatches = 0;
  /** Changes (as noted) that fail the next time. */
  readonly faults = new Map<string, Error>();
  readonly relearnings: Relearning[] = [];

  add(metricId: string, metric: Partial<MemoryMetric> = {}): void {
    this.metrics.set(metricId, {
      name: `name.${metricId}`,
      status: MetricStatus.UNMONITORED,
      rows: 0,
      oldResults: 0,
      discarded: false,
      message: null,
      request: null,
      ...metric,
    });
  }

  partitions(): Promise<number> {
    return Promise.resolve(1);
  }
  repartition(): Promise<number> {
    return Promise.resolve(this.metrics.size);
  }

  #existing(metricId: string): MemoryMetric {
    const metric = this.metrics.get(metricId);
    if (metric === undefined || metric.discarded)
      throw new HtmEngineError('metric_not_found', `no metric ${metricId}`);
    return metric;
  }

  async #change<T>(note: string, change: () => T): Promise<T> {
    await Promise.resolve();
    const fault = this.faults.get(note);
    this.faults.delete(note);
    if (fault !== undefined) throw fault;
    this.notes.push(note);
    return change();
  }

  renameMetric(metricId: string, name: string): Promise<void> {
    return this.#change(`rename ${metricId}`, () => {
      this.#existing(metricId).name = name;
    });
  }

  createMetric(name: string) {
    const found = [...this.metrics].find(([, metric]) => metric.name === name && !metric.discarded);
    if (found !== undefined) return Promise.resolve({ metricId: found[0], created: false });
    const metricId = `id-${this.metrics.size + 1}`;
    return this.#change(`create ${metricId}`, () => {
      this.add(metricId, { name });
      return { metricId, created: true };
    });
  }

  getMetric(metricId: string): Promise<Metric | null> {
    const metric = this.metrics.get(metricId);
    if (metric === undefined || metric.discarded) return Promise.resolve(null);
    return Promise.resolve({
      metricId,
      name: metric.name,
      datasource: CUSTOM_DATASOURCE,
      description: null,
      server: null,
      location: null,
      parameters: metric.request?.spec ?? null,
      modelParams: null,
      status: metric.status,
      message: metric.message,
      pollIntervalSeconds: 300,
      lastRowid: metric.rows,
      lastTimestamp: null,
      partition: 0,
    });
  }

  findMetric(name: string): Promise<Metric | null> {
    const found = [...this.metrics].find(([, metric]) => metric.name === name && !metric.discarded);
    return found === undefined ? Promise.resolve(null) : this.getMetric(found[0]);
  }

  monitor(metricId: string, request: GenerationRequest): Promise<MetricStatus> {
    return this.#change(`monitor ${metricId}`, () => {
      const metric = this.#existing(metricId);
      if (metric.status !== MetricStatus.UNMONITORED) {
        throw new HtmEngineError('metric_already_monitored', 'monitored', { metricId });
      }
      expect(metric.oldResults).toBe(0);
      metric.request = request;
      const opens = request.range !== null || metric.rows >= request.minimumRows;
      metric.status = opens ? MetricStatus.CREATE_PENDING : MetricStatus.PENDING_DATA;
      return metric.status;
    });
  }

  activate(metricId: string, rows: 'firstRows' | 'allRows'): Promise<MetricStatus> {
    return this.#change(`activate ${metricId} ${rows}`, () => {
      const metric = this.#existing(metricId);
      if (metric.status !== MetricStatus.PENDING_DATA) return metric.status;
      if (rows === 'allRows' && metric.rows === 0)
        throw new HtmEngineError('statistics_not_ready', 'no rows');
      if (rows === 'allRows' || metric.rows >= (metric.request?.minimumRows ?? 0)) {
        metric.status = MetricStatus.CREATE_PENDING;
      }
      return metric.status;
    });
  }

  metricsToActivate(afterMetricId: string): Promise<string[]> {
    const found = [...this.metrics].filter(
      ([metricId, { status, rows, request }]) =>
        metricId > afterMetricId &&
        status === MetricStatus.PENDING_DATA &&
        rows >= (request?.minimumRows ?? 0),
    );
    return Promise.resolve(found.map(([metricId]) => metricId));
  }

  unmonitor(metricId: string): Promise<boolean> {
    return this.#change(`close ${metricId}`, () => {
      const metric = this.#existing(metricId);
      const monitored = metric.status !== MetricStatus.UNMONITORED;
      if (monitored) metric.oldResults = 3;
      metric.status = MetricStatus.UNMONITORED;
      metric.request = null;
      return monitored;
    });
  }

  retry(metricId: string): Promise<boolean> {
    return this.#change(`retry ${metricId}`, () => {
      const metric = this.#existing(metricId);
      const failed = metric.status === MetricStatus.ERROR;
      if (failed) metric.status = MetricStatus.CREATE_PENDING;
      return failed;
    });
  }

  async skipRow(metricId: string): Promise<number | null> {
    return (await this.retry(metricId)) ? 7 : null;
  }

  changeModel(metricId: string, change: ModelChange, afterRowid: number): Promise<ModelCommand> {
    return this.#change(`change ${metricId}`, () => {
      if (change.what === 'doNotLearn' && change.fromTimestamp < LEARNED_UNTIL)
        throw new HtmEngineError('interval_learned', 'learned');
      return { sequence: 1, afterRowid, change };
    });
  }

  relearn(metricId: string, request: GenerationRequest, relearning: Relearning): Promise<boolean> {
    this.relearnings.push(relearning);
    return this.#change(`relearn ${metricId}`, () => {
      if (relearning.generation === OTHER_GENERATION) return false;
      const metric = this.#existing(metricId);
      metric.status = MetricStatus.PENDING_DATA;
      metric.oldResults = 3;
      metric.request = request;
      return true;
    });
  }

  beginCopy(sourceId: string): Promise<MetricCopy> {
    return this.#change(`begin copy of ${sourceId}`, () => {
      const { rows } = this.#existing(sourceId);
      return { copyId: 'copy', sourceId, generation: 1, firstRowid: 1, lastRowid: rows };
    });
  }

  copyRows(): Promise<boolean> {
    return this.#change('copy rows', () => this.notes.filter((note) => note === 'copy rows').length < 3);
  }

  finishCopy({ copyId }: MetricCopy, name: string): Promise<MetricStatus> {
    return this.#change(`finish copy ${copyId} ${name}`, () => MetricStatus.CREATE_PENDING);
  }

  abandonCopies(copyId?: string): Promise<void> {
    if (copyId === undefined) return Promise.resolve();
    return this.#change(`abandon ${copyId}`, () => undefined);
  }

  clearResults(metricId: string, limit: number): Promise<boolean> {
    expect(limit).toBeLessThanOrEqual(10_000);
    return this.#change(`clear ${metricId}`, () => {
      const metric = this.metrics.get(metricId);
      if (metric === undefined) return false;
      metric.oldResults = Math.max(0, metric.oldResults - 1);
      return metric.oldResults > 0;
    });
  }

  metricsToClear(limit: number): Promise<string[]> {
    const found = [...this.metrics].filter(([, { oldResults }]) => oldResults > 0);
    return Promise.resolve(found.map(([metricId]) => metricId).slice(0, limit));
  }

  discardMetric(metricId: string): Promise<void> {
    return this.#change(`discard ${metricId}`, () => {
      const metric = this.#existing(metricId);
      expect(metric.status).toBe(MetricStatus.UNMONITORED);
      metric.discarded = true;
      this.discardedBatches = 2;
    });
  }

  removeDiscarded(limit: number): Promise<boolean> {
    expect(limit).toBeLessThanOrEqual(10_000);
    return this.#change('remove', () => {
      this.discardedBatches = Math.max(0, this.discardedBatches - 1);
      return this.discardedBatches > 0;
    });
  }

  takeLeases(): Promise<number> {
    return Promise.resolve(1);
  }
}

const started: Monitoring[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((monitoring) => monitoring.stop(10)));
});

function makeMonitoring(catalogue = new MemoryCatalogue(), sweepMs = 3_600_000) {
  const woken: string[] = [];
  const deletions: RowDeletion[] = [];
  /** What rows there are, and what has been lost. */
  const state = { isLost: false, outcome: { deletedRows: 4, keptBy: null } as DeletionOutcome };
  const monitoring = new Monitoring({
    catalogue,
    bus: { wake: (topic, metricIds) => woken.push(...metricIds.map((metricId) => `${topic} ${metricId}`)) },
    telemetry: { log: pino({ level: 'silent' }), registry: new Registry() },
    forgetModel: (metricId) => {
      catalogue.notes.push(`forget ${metricId}`);
      return Promise.resolve();
    },
    models: { minimumRows: 288, variant: 'tm_cpp', ceiling: CEILING },
    retention: {
      deleteRows: (deletion) => {
        deletions.push(deletion);
        return Promise.resolve(state.outcome);
      },
    },
    savedModels: {
      ofGeneration: () => Promise.resolve({ generation: 1, checkpointRowids: [7, 5] }),
      isLost: () => Promise.resolve(state.isLost),
    },
    sweepMs,
  });
  started.push(monitoring);
  const status = (metricId: string) => catalogue.metrics.get(metricId)?.status;
  return { monitoring, catalogue, woken, status, deletions, state };
}

const byName = (metric: string, modelParams?: Record<string, unknown>) => ({
  datasource: 'custom',
  metricSpec: { metric },
  ...(modelParams !== undefined && { modelParams }),
});

describe('createMetric', () => {
  it('creates a metric once and names the existing one the second time', async () => {
    const { monitoring, status } = makeMonitoring();
    const metricId = await monitoring.createMetric('cpu');
    expect(status(metricId)).toBe(MetricStatus.UNMONITORED);
    await expect(monitoring.createMetric('cpu')).rejects.toMatchObject({
      code: 'metric_already_exists',
      details: { metricId },
    });
  });

  it('refuses what cannot be a name', async () => {
    const { monitoring, catalogue } = makeMonitoring();
    await expect(monitoring.createMetric('a\tb')).rejects.toMatchObject({ code: 'invalid_metric_name' });
    expect(catalogue.metrics.size).toBe(0);
  });
});

describe('monitorMetric', () => {
  it('creates the metric, keeps the spec, freezes the parameters and wakes the scheduler', async () => {
    const { monitoring, catalogue, woken } = makeMonitoring();
    const spec = {
      datasource: 'custom',
      metricSpec: { metric: 'cpu', resource: 'host 1' },
      modelParams: { min: 0, max: 100, minResolution: 0.5, enableClassifier: true },
    };
    const metricId = await monitoring.monitorMetric(spec);
    const { request } = catalogue.metrics.get(metricId) ?? {};
    expect(JSON.parse(request?.spec ?? '')).toEqual(spec);
    expect(request).toMatchObject({
      range: { min: 0, max: 100 },
      minResolution: 0.5,
      minimumRows: 288,
      resource: 'host 1',
      likelihood: {
        learningPeriod: 288,
        estimationSamples: 100,
        historicWindowSize: 8640,
        tail: 'one-sided',
      },
    });
    expect(woken).toEqual([`rowsStored ${metricId}`]);
  });

  it('gives the parameters of the reference, with the path at which the resolution goes', async () => {
    const { monitoring, catalogue } = makeMonitoring();
    for (const enableClassifier of [true, false]) {
      const metricId = await monitoring.monitorMetric(
        byName(`predicts ${enableClassifier}`, { enableClassifier }),
      );
      const { modelParams, resolutionPath } = catalogue.metrics.get(metricId)?.request ?? {};
      const filled = JSON.parse(JSON.stringify(modelParams)) as unknown;
      const keys = [...(resolutionPath ?? [])];
      const last = keys.pop() ?? '';
      const encoder = keys.reduce(
        (at, key) => at[key] as Record<string, unknown>,
        filled as Record<string, unknown>,
      );
      expect(encoder).toHaveProperty(last);
      encoder[last] = 21.5;
      expect(filled).toEqual(
        scalarAnomalyParameters({
          resolution: 21.5,
          variant: 'tm_cpp',
          enableClassifier,
          ceiling: CEILING,
        }),
      );
    }
  });

  it('lets a metric without range and rows wait, with its least resolution kept for later', async () => {
    const { monitoring, catalogue, woken, status } = makeMonitoring();
    const metricId = await monitoring.monitorMetric(byName('cpu', { minResolution: 3 }));
    expect(status(metricId)).toBe(MetricStatus.PENDING_DATA);
    expect(catalogue.metrics.get(metricId)?.request).toMatchObject({
      range: null,
      minResolution: 3,
      resource: null,
    });
    expect(woken).toEqual([]);
  });

  it('finds a metric by its uid and stores its name instead', async () => {
    const { monitoring, catalogue } = makeMonitoring();
    catalogue.add('a', { name: 'cpu' });
    expect(await monitoring.monitorMetric({ metricSpec: { uid: 'a', unit: '%' } })).toBe('a');
    expect(JSON.parse(catalogue.metrics.get('a')?.request?.spec ?? '')).toEqual({
      datasource: 'custom',
      metricSpec: { metric: 'cpu', unit: '%' },
    });
  });

  it('refuses a uid that is unknown or not that of the name', async () => {
    const { monitoring, catalogue, status } = makeMonitoring();
    catalogue.add('a', { name: 'cpu' });
    await expect(monitoring.monitorMetric({ metricSpec: { uid: 'b' } })).rejects.toMatchObject({
      code: 'metric_not_found',
    });
    await expect(
      monitoring.monitorMetric({ metricSpec: { uid: 'a', metric: 'disk' } }),
    ).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    expect(status('a')).toBe(MetricStatus.UNMONITORED);
  });

  it('does nothing at all for a spec that is refused', async () => {
    const { monitoring, catalogue, status } = makeMonitoring();
    catalogue.add('a', { name: 'cpu' });
    await expect(monitoring.monitorMetric(byName('cpu', { min: 5 }))).rejects.toMatchObject({
      code: 'invalid_range',
    });
    await expect(monitoring.monitorMetric(byName('new', { max: 5 }))).rejects.toMatchObject({
      code: 'invalid_range',
    });
    await expect(monitoring.monitorMetric(byName('new', { mni: 5 }))).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    expect(catalogue.notes).toEqual([]);
    expect(status('a')).toBe(MetricStatus.UNMONITORED);
  });

  it('refuses a monitored metric, naming it', async () => {
    const { monitoring } = makeMonitoring();
    const metricId = await monitoring.monitorMetric(byName('cpu'));
    await expect(monitoring.monitorMetric(byName('cpu'))).rejects.toMatchObject({
      code: 'metric_already_monitored',
      details: { metricId },
    });
  });

  it('clears what an earlier generation left before it opens the next', async () => {
    const { monitoring, catalogue, status } = makeMonitoring();
    catalogue.add('a', { name: 'cpu', oldResults: 3 });
    await monitoring.monitorMetric(byName('cpu', { min: 0, max: 1 }));
    expect(catalogue.notes).toEqual(['clear a', 'clear a', 'clear a', 'monitor a']);
    expect(status('a')).toBe(MetricStatus.CREATE_PENDING);
  });

  it('waits for an unmonitoring of the same metric that is still at work', async () => {
    const { monitoring, catalogue, status } = makeMonitoring();
    catalogue.add('a', { name: 'cpu', status: MetricStatus.ACTIVE });
    await Promise.all([
      monitoring.unmonitorMetric('a'),
      monitoring.monitorMetric(byName('cpu', { min: 0, max: 1 })),
    ]);
    expect(catalogue.notes.lastIndexOf('forget a')).toBeLessThan(catalogue.notes.indexOf('monitor a'));
    expect(status('a')).toBe(MetricStatus.CREATE_PENDING);
  });
});

describe('activateModel', () => {
  it('opens the generation of a waiting metric and wakes the scheduler', async () => {
    const { monitoring, catalogue, woken } = makeMonitoring();
    const metricId = await monitoring.monitorMetric(byName('cpu'));
    const metric = catalogue.metrics.get(metricId);
    if (metric !== undefined) metric.rows = 2;
    expect(await monitoring.activateModel(metricId)).toBe(MetricStatus.CREATE_PENDING);
    expect(woken).toEqual([`rowsStored ${metricId}`]);
  });

  it('changes nothing for one whose model is there', async () => {
    const { monitoring, catalogue } = makeMonitoring();
    catalogue.add('a', { status: MetricStatus.ACTIVE });
    expect(await monitoring.activateModel('a')).toBe(MetricStatus.ACTIVE);
  });

  it('refuses what cannot be activated', async () => {
    const { monitoring, catalogue } = makeMonitoring();
    const waiting = await monitoring.monitorMetric(byName('no.rows'));
    catalogue.add('failed', { status: MetricStatus.ERROR });
    catalogue.add('plain');
    await expect(monitoring.activateModel(waiting)).rejects.toMatchObject({ code: 'statistics_not_ready' });
    await expect(monitoring.activateModel('failed')).rejects.toMatchObject({ code: 'metric_status_changed' });
    await expect(monitoring.activateModel('plain')).rejects.toMatchObject({ code: 'metric_not_monitored' });
    await expect(monitoring.activateModel('unknown')).rejects.toMatchObject({ code: 'metric_not_found' });
  });
});

describe('activateReady', () => {
  it('opens generations from the first rows, and passes over metrics that are gone or not ready', async () => {
    const { monitoring, catalogue, woken, status } = makeMonitoring();
    monitoring.start();
    const [ready, early] = [
      await monitoring.monitorMetric(byName('ready')),
      await monitoring.monitorMetric(byName('early')),
    ];
    const metric = catalogue.metrics.get(ready);
    if (metric !== undefined) metric.rows = 300;
    monitoring.activateReady(['gone', early, ready]);
    await vi.waitFor(() => expect(status(ready)).toBe(MetricStatus.CREATE_PENDING));
    expect(status(early)).toBe(MetricStatus.PENDING_DATA);
    expect(catalogue.notes).toContain(`activate ${ready} firstRows`);
    expect(woken).toEqual([`rowsStored ${ready}`]);
  });

  it('is not needed: a sweep finds them', async () => {
    const { monitoring, catalogue, status } = makeMonitoring(new MemoryCatalogue(), 5);
    const metricId = await monitoring.monitorMetric(byName('cpu'));
    monitoring.start();
    const metric = catalogue.metrics.get(metricId);
    if (metric !== undefined) metric.rows = 288;
    await vi.waitFor(() => expect(status(metricId)).toBe(MetricStatus.CREATE_PENDING));
  });
});

describe('unmonitorMetric', () => {
  it('closes the generation, drops the model, then clears all results', async () => {
    const { monitoring, catalogue } = makeMonitoring();
    catalogue.add('a', { status: MetricStatus.ACTIVE });
    await monitoring.unmonitorMetric('a');
    expect(catalogue.notes).toEqual(['close a', 'forget a', 'clear a', 'clear a', 'clear a']);
    expect(catalogue.metrics.get('a')).toMatchObject({ status: MetricStatus.UNMONITORED, oldResults: 0 });
  });

  it('may be repeated after a fault that cut it short', async () => {
    const { monitoring, catalogue } = makeMonitoring();
    catalogue.add('a', { status: MetricStatus.PENDING_DATA });
    const unavailable = new HtmEngineError('store_unavailable', 'disk full');
    catalogue.faults.set('clear a', unavailable);
    await expect(monitoring.unmonitorMetric('a')).rejects.toBe(unavailable);
    await monitoring.unmonitorMetric('a');
    expect(catalogue.metrics.get('a')).toMatchObject({ status: MetricStatus.UNMONITORED, oldResults: 0 });
  });

  it('refuses an unknown metric and touches nothing', async () => {
    const { monitoring, catalogue } = makeMonitoring();
    await expect(monitoring.unmonitorMetric('a')).rejects.toMatchObject({ code: 'metric_not_found' });
    expect(catalogue.notes).not.toContain('forget a');
  });
});

describe('deleteMetricByName', () => {
  it.each([MetricStatus.UNMONITORED, MetricStatus.ACTIVE, MetricStatus.ERROR, MetricStatus.PENDING_DATA])(
    'removes a metric in status %d with its model and rows',
    async (status) => {
      const { monitoring, catalogue } = makeMonitoring();
      catalogue.add('a', { name: 'cpu', status });
      await monitoring.deleteMetricByName('cpu');
      expect(catalogue.notes).toEqual(['close a', 'forget a', 'discard a', 'remove', 'remove']);
      expect(await catalogue.findMetric('cpu')).toBeNull();
    },
  );

  it('frees the name for a new metric', async () => {
    const { monitoring } = makeMonitoring();
    const first = await monitoring.createMetric('cpu');
    await monitoring.deleteMetricByName('cpu');
    expect(await monitoring.createMetric('cpu')).not.toBe(first);
  });

  it('refuses an unknown name', async () => {
    const { monitoring } = makeMonitoring();
    await expect(monitoring.deleteMetricByName('cpu')).rejects.toMatchObject({ code: 'metric_not_found' });
  });
});

describe('start', () => {
  it('finishes unmonitorings and deletions that were cut short, waiting out faults of the store', async () => {
    const { monitoring, catalogue } = makeMonitoring();
    for (let i = 0; i < 150; i += 1) catalogue.add(`a${i}`, { oldResults: 2 });
    catalogue.discardedBatches = 4;
    catalogue.faults.set('remove', new HtmEngineError('store_unavailable', 'disk full'));
    catalogue.faults.set('clear a77', new HtmEngineError('store_unavailable', 'disk full'));
    monitoring.start();
    await vi.waitFor(() =>
      expect([...catalogue.metrics.values()].every(({ oldResults }) => oldResults === 0)).toBe(true),
    );
    expect(catalogue.discardedBatches).toBe(0);
    expect(catalogue.notes.filter((note) => note.startsWith('forget'))).toHaveLength(150);
  });

  it('leaves the model of a metric alone that was monitored again meanwhile', async () => {
    const { monitoring, catalogue, status } = makeMonitoring();
    catalogue.add('a', { name: 'cpu', oldResults: 2 });
    monitoring.start();
    await monitoring.monitorMetric(byName('cpu', { min: 0, max: 1 }));
    await vi.waitFor(async () => expect(await catalogue.metricsToClear(1)).toEqual([]));
    await monitoring.stop(1000);
    expect(status('a')).toBe(MetricStatus.CREATE_PENDING);
    expect(catalogue.notes.slice(catalogue.notes.indexOf('monitor a'))).not.toContain('forget a');
  });
});

describe('automaticRequest', () => {
  it('chooses nothing but what the settings say', () => {
    expect(automaticRequest({ minimumRows: 50, variant: 'cpp', ceiling: null })).toMatchObject({
      minResolution: null,
      minimumRows: 50,
      modelParams: { memory: { variant: 'cpp' }, classifier: null },
    });
    const withCeiling = automaticRequest({ minimumRows: 50, variant: 'cpp', ceiling: CEILING });
    expect(withCeiling).toMatchObject({ modelParams: { memory: { ceiling: CEILING } } });
  });
});

describe('restart', () => {
  const SPEC = '{"datasource":"custom","metricSpec":{"metric":"a"},"modelParams":{"min":1,"max":2}}';

  it('tries a failed model again, and only that', async () => {
    const { monitoring, catalogue, woken, status } = makeMonitoring();
    catalogue.add('a', { status: MetricStatus.ERROR });
    await monitoring.models.restart('a', 'retry');
    expect(status('a')).toBe(MetricStatus.CREATE_PENDING);
    expect(woken).toEqual(['rowsStored a']);
    await expect(monitoring.models.restart('a', 'retry')).rejects.toMatchObject({
      code: 'metric_status_changed',
      details: { status: MetricStatus.CREATE_PENDING },
    });
    await expect(monitoring.models.restart('b', 'retry')).rejects.toMatchObject({ code: 'metric_not_found' });
  });

  it('goes on without the row at which a model failed, and only that', async () => {
    const { monitoring, catalogue, woken, status } = makeMonitoring();
    catalogue.add('a', { status: MetricStatus.ERROR });
    await monitoring.models.restart('a', 'skip');
    expect(status('a')).toBe(MetricStatus.CREATE_PENDING);
    expect(woken).toEqual(['rowsStored a']);
    await expect(monitoring.models.restart('a', 'skip')).rejects.toMatchObject({
      code: 'metric_status_changed',
    });
  });

  it('learns anew with the same spec: the old model and its results go first', async () => {
    const { monitoring, catalogue, woken, status } = makeMonitoring();
    catalogue.add('a', {
      status: MetricStatus.ACTIVE,
      rows: 400,
      request: { spec: SPEC } as GenerationRequest,
    });
    await monitoring.models.restart('a', 'relearn');
    expect(catalogue.notes).toEqual([
      'relearn a',
      'forget a',
      'clear a',
      'clear a',
      'clear a',
      'activate a firstRows',
    ]);
    expect(status('a')).toBe(MetricStatus.CREATE_PENDING);
    expect(woken).toEqual(['rowsStored a']);
    const { request } = catalogue.metrics.get('a') ?? {};
    expect(request?.range).toEqual({ min: 1, max: 2 });
    expect(JSON.parse(request?.spec ?? '')).toMatchObject({ modelParams: { min: 1, max: 2 } });
  });

  it('refuses a metric that is not monitored or not there', async () => {
    const { monitoring, catalogue } = makeMonitoring();
    catalogue.add('a');
    await expect(monitoring.models.restart('a', 'relearn')).rejects.toMatchObject({
      code: 'metric_not_monitored',
    });
    await expect(monitoring.models.restart('b', 'relearn')).rejects.toMatchObject({
      code: 'metric_not_found',
    });
  });

  it('is finished by the next start wherever it was cut off', async () => {
    const { monitoring, catalogue, status } = makeMonitoring();
    catalogue.add('a', {
      status: MetricStatus.PENDING_DATA,
      rows: 400,
      oldResults: 2,
      request: { minimumRows: 288 } as GenerationRequest,
    });
    monitoring.start();
    await vi.waitFor(() => expect(status('a')).toBe(MetricStatus.CREATE_PENDING));
    expect(catalogue.notes.indexOf('forget a')).toBeLessThan(catalogue.notes.indexOf('clear a'));
    expect(catalogue.metrics.get('a')?.oldResults).toBe(0);
  });
});

describe('what is done to a model that exists', () => {
  const SPEC = '{"datasource":"custom","metricSpec":{"metric":"a"},"modelParams":{"min":1,"max":2}}';
  const active = { status: MetricStatus.ACTIVE, rows: 400, request: { spec: SPEC } as GenerationRequest };
  const times = { fromTimestamp: 4_000, toTimestamp: 6_000 };

  it('is not tried again if nothing is left of it, unless something has come back', async () => {
    const { monitoring, catalogue, status, state } = makeMonitoring();
    catalogue.add('a', { status: MetricStatus.ERROR, message: checkpointLost(1) });
    state.isLost = true;
    for (const how of ['retry', 'skip'] as const)
      await expect(monitoring.models.restart('a', how)).rejects.toMatchObject({ code: 'checkpoint_lost' });
    expect(status('a')).toBe(MetricStatus.ERROR);
    state.isLost = false;
    await monitoring.models.restart('a', 'retry');
    expect(status('a')).toBe(MetricStatus.CREATE_PENDING);
  });

  it('keeps what was left out when it learns anew, unless told otherwise; of another generation it does nothing', async () => {
    const { monitoring, catalogue } = makeMonitoring();
    catalogue.add('a', active);
    await monitoring.models.restart('a', 'relearn');
    await monitoring.models.restart('a', 'relearn', { leaveOut: [times], keepLeftOut: false });
    expect(catalogue.relearnings).toEqual([
      { leaveOut: [], keepLeftOut: true, generation: null },
      { leaveOut: [times], keepLeftOut: false, generation: null },
    ]);
    catalogue.notes.length = 0;
    await monitoring.models.restart('a', 'relearn', { generation: OTHER_GENERATION });
    expect(catalogue.notes).toEqual(['relearn a']);
  });

  it('leaves an interval out, by learning anew only if that is needed and asked for', async () => {
    const { monitoring, catalogue } = makeMonitoring();
    catalogue.add('a', active);
    await monitoring.models.doNotLearn('a', { fromTimestamp: 5_000, toTimestamp: 5_000 }, true);
    expect(catalogue.relearnings).toEqual([]);
    await expect(monitoring.models.doNotLearn('a', times, false)).rejects.toMatchObject({
      code: 'interval_learned',
    });
    await monitoring.models.doNotLearn('a', times, true);
    expect(catalogue.relearnings).toEqual([{ leaveOut: [times], keepLeftOut: true, generation: null }]);
    for (const wrong of [
      { fromTimestamp: 6, toTimestamp: 5 },
      { fromTimestamp: 0.5, toTimestamp: 5 },
      { fromTimestamp: 0, toTimestamp: Number.POSITIVE_INFINITY },
    ])
      await expect(monitoring.models.doNotLearn('a', wrong, true)).rejects.toMatchObject({
        code: 'invalid_argument',
      });
  });

  it('loses rows only if nothing needs them, or learns anew without them', async () => {
    const { monitoring, catalogue, deletions, state, status } = makeMonitoring();
    catalogue.add('a', active);
    catalogue.add('plain', { rows: 9 });
    expect(await monitoring.models.deleteRows('a', times, false)).toBe(4);
    expect(deletions).toEqual([
      { metricId: 'a', times, generation: 1, checkpointRowids: [7, 5], relearn: null },
    ]);
    expect(catalogue.notes).toEqual([]);
    expect(await monitoring.models.deleteRows('a', times, true)).toBe(4);
    expect(deletions[1]?.relearn).toMatchObject({ range: { min: 1, max: 2 } });
    expect(catalogue.notes).toEqual(['forget a', 'clear a', 'activate a firstRows']);
    expect(status('a')).toBe(MetricStatus.ACTIVE);
    // A metric without a model has nothing to learn anew; rows that are gone already let nothing learn anew.
    await monitoring.models.deleteRows('plain', times, true);
    expect(deletions[2]?.relearn).toBeNull();
    catalogue.notes.length = 0;
    state.outcome = { deletedRows: 0, keptBy: null };
    expect(await monitoring.models.deleteRows('a', times, true)).toBe(0);
    expect(catalogue.notes).toEqual([]);
    state.outcome = { deletedRows: 0, keptBy: 'likelihood' };
    await expect(monitoring.models.deleteRows('a', times, false)).rejects.toMatchObject({
      code: 'rows_needed',
      details: { keptBy: 'likelihood' },
    });
  });
});

describe('cloneModel', () => {
  it('copies the rows, then shows the copy and wakes its model', async () => {
    const { monitoring, catalogue, woken } = makeMonitoring();
    catalogue.add('a', { status: MetricStatus.ACTIVE });
    expect(await monitoring.cloneModel('a', 'b', true)).toBe('copy');
    expect(catalogue.notes).toEqual([
      'begin copy of a',
      'copy rows',
      'copy rows',
      'copy rows',
      'finish copy copy b',
    ]);
    expect(woken).toEqual(['rowsStored copy']);
    catalogue.notes.length = 0;
    await monitoring.cloneModel('a', 'c', false);
    expect(catalogue.notes).toEqual(['begin copy of a', 'finish copy copy c']);
  });

  it('leaves nothing of a copy that fails', async () => {
    const { monitoring, catalogue } = makeMonitoring();
    catalogue.add('a', { status: MetricStatus.ACTIVE });
    catalogue.faults.set('finish copy copy b', new HtmEngineError('metric_already_exists', 'rows'));
    await expect(monitoring.cloneModel('a', 'b', false)).rejects.toMatchObject({
      code: 'metric_already_exists',
    });
    expect(catalogue.notes.slice(-2)).toEqual(['abandon copy', 'remove']);
    await expect(monitoring.cloneModel('a', 'b\n', false)).rejects.toMatchObject({
      code: 'invalid_metric_name',
    });
  });
});
