import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AnomalyBars } from '../../anomaly-bars.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../checkpoints/codec.ts';
import type { CheckpointStore } from '../../checkpoints/checkpoint-store.ts';
import { AnomalyModel, algorithmRevision, scalarAnomalyParameters } from '../../htm/index.ts';
import { generationRequest, type ModelSettings } from '../../monitoring/generation-request.ts';
import { checkModelSpec } from '../../monitoring/model-spec.ts';
import { openCheckpointFiles, openStore, SQLITE } from '../../open-store.ts';
import type { Store } from '../../store/store.ts';
import type { Costs } from './estimate.ts';

export interface MeasureOptions {
  readonly models: ModelSettings;
  /** How long models are trained, in all. */
  readonly seconds: number;
  /** Told now and then: the share that is done, 0..1. */
  readonly onProgress: (share: number) => void;
}

export interface Measured extends Costs {
  /** Rows that each of the trained models has learned. */
  readonly learnedRows: readonly number[];
}

/** A constant, a daily cycle with noise, and a counter-like saw: shapes that cost differently. */
const SHAPES: readonly ((row: number, noise: number) => number)[] = [
  (row, noise) => 50 + 30 * Math.sin((2 * Math.PI * row) / 288) + 8 * noise,
  (row, noise) => (row % 97) + 4 * noise,
  (_, noise) => 20 + (noise > 0.98 ? 60 : 5 * noise),
];
const RANGE = { min: 0, max: 130 };
const START = 1_600_000_200;
const INTERVAL_SECONDS = 300;
const MAX_ROWS = 4_000;
/** The costs of a row are those of the last ones: a model that has learned little is cheap. */
const LAST_ROWS = 200;
const ROUNDS = 5;

const STORE_METRICS = 200;
const STORE_ROWS = 30;
const TRAINING_SHARE = 0.8;

/** Costs on this machine, as busy as it is now, in a directory that is removed again. */
export async function measure(options: MeasureOptions): Promise<Measured> {
  const { models, seconds, onProgress } = options;
  const baseBytes = process.memoryUsage().rss;
  const directory = await mkdtemp(join(tmpdir(), 'htmengine-plan-'));
  try {
    const checkpoints = await openCheckpointFiles(join(directory, 'checkpoints'));
    const trained: TrainedModel[] = [];
    for (const [index, shape] of SHAPES.entries()) {
      const model = train(models, shape, (seconds * 1000) / SHAPES.length);
      trained.push({ ...model, ...(await saveAndLoad(checkpoints, model.model, index)) });
      onProgress((TRAINING_SHARE * (index + 1)) / SHAPES.length);
      await nextTurn();
    }
    const { storeMs, rowBytes } = await storeCosts(directory, models);
    onProgress(1);
    const mean = (of: (model: TrainedModel) => number) =>
      trained.reduce((sum, model) => sum + of(model), 0) / trained.length;
    return {
      modelBytes: mean(({ model }) => model.byteLength),
      checkpointBytes: mean(({ checkpointBytes }) => checkpointBytes),
      computeMs: mean(({ computeMs }) => computeMs),
      loadMs: mean(({ loadMs }) => loadMs),
      saveMs: mean(({ saveMs }) => saveMs),
      rowBytes,
      storeMs,
      baseBytes,
      learnedRows: trained.map(({ rows }) => rows),
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

interface Saved {
  readonly checkpointBytes: number;
  readonly saveMs: number;
  readonly loadMs: number;
}

interface TrainedModel extends Saved {
  readonly model: AnomalyModel;
  readonly rows: number;
  readonly computeMs: number;
}

function train({ variant, ceiling }: ModelSettings, shape: (typeof SHAPES)[number], budgetMs: number) {
  const model = AnomalyModel.create(scalarAnomalyParameters({ ...RANGE, variant, ceiling }));
  const random = seeded(1);
  const startedMs = performance.now();
  const rowMs: number[] = [];
  let rows = 0;
  while (rows < LAST_ROWS || (rows < MAX_ROWS && performance.now() - startedMs < budgetMs)) {
    const beforeMs = performance.now();
    model.run(START + rows * INTERVAL_SECONDS, shape(rows, random()));
    rowMs.push(performance.now() - beforeMs);
    rows += 1;
  }
  const last = rowMs.slice(-LAST_ROWS);
  return { model, rows, computeMs: last.reduce((sum, ms) => sum + ms, 0) / last.length };
}

/** Durably, as an engine does. */
async function saveAndLoad(checkpoints: CheckpointStore, model: AnomalyModel, index: number): Promise<Saved> {
  const saves: number[] = [];
  const loads: number[] = [];
  let checkpointBytes = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    const metricId = index.toString(16).repeat(32);
    const name = { metricId, generation: 1, rowid: round, revision: algorithmRevision };
    const beganMs = performance.now();
    const bytes = encodeCheckpoint(name, model.bytes());
    await checkpoints.put(name, bytes);
    const savedMs = performance.now();
    AnomalyModel.from(decodeCheckpoint(name, (await checkpoints.get(name)) ?? new Uint8Array()));
    saves.push(savedMs - beganMs);
    loads.push(performance.now() - savedMs);
    checkpointBytes = bytes.byteLength;
  }
  return { checkpointBytes, saveMs: median(saves), loadMs: median(loads) };
}

/** Many metrics with a row each, again and again, as live samples come. */
async function storeCosts(
  directory: string,
  models: ModelSettings,
): Promise<{ storeMs: number; rowBytes: number }> {
  const path = join(directory, 'plan.db');
  const settings = {
    url: SQLITE,
    passwordFile: '',
    maxConnections: 1,
    statementTimeoutMs: 0,
    busyTimeoutMs: 1000,
  };
  let store = await openStore(settings, path);
  const metricIds = await monitorMetrics(store, models).finally(() => store.close());
  const { size: emptyBytes } = await stat(path);
  store = await openStore(settings, path);
  let storeMs: number;
  try {
    const epoch = await store.catalogue.takeLeases('plan');
    const startedMs = performance.now();
    for (let row = 1; row <= STORE_ROWS; row++) await storeRow(store, metricIds, row, epoch);
    storeMs = (performance.now() - startedMs) / (STORE_ROWS * STORE_METRICS);
  } finally {
    await store.close();
  }
  const { size } = await stat(path);
  return { storeMs, rowBytes: (size - emptyBytes) / (STORE_ROWS * STORE_METRICS) };
}

const nameOf = (index: number) => `plan.metric.${index}`;

async function monitorMetrics(store: Store, models: ModelSettings): Promise<string[]> {
  const metricIds: string[] = [];
  for (let index = 0; index < STORE_METRICS; index++) {
    const name = nameOf(index);
    const { metricId } = await store.catalogue.createMetric(name);
    const spec = checkModelSpec({ metricSpec: { metric: name }, modelParams: RANGE });
    await store.catalogue.monitor(metricId, generationRequest(spec, name, models));
    metricIds.push(metricId);
  }
  return metricIds;
}

async function storeRow(
  store: Store,
  metricIds: readonly string[],
  row: number,
  epoch: number,
): Promise<void> {
  const { log } = store;
  const timestamps = [START + row * INTERVAL_SECONDS];
  await log.appendSamples(
    metricIds.map((_, index) => ({ name: nameOf(index), timestamps, values: [row] })),
    {},
  );
  const state = new Uint8Array(128);
  await Promise.all(
    metricIds.map(async (metricId) => {
      const fold = { metricId, generation: 1, epoch, from: row - 1, to: row };
      const rowids = Int32Array.of(row);
      const rawScores = Float64Array.of(1 / (row + 1));
      await log.recordRawScores({ ...fold, rowids, rawScores, commandSequence: 0, modelBuilt: true });
      const displayValues = Int32Array.of(0);
      await log.recordAnomalyScores({
        ...fold,
        rowids,
        anomalyScores: rawScores,
        displayValues,
        state,
        bars: AnomalyBars.decode(null).encode(),
        spans: [],
      });
    }),
  );
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Numbers in [0, 1), the same each time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
