import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeCheckpoint, encodeCheckpoint } from '../../checkpoints/codec.ts';
import type { CheckpointStore } from '../../checkpoints/checkpoint-store.ts';
import { AnomalyModel, algorithmRevision, scalarAnomalyParameters } from '../../htm/index.ts';
import type { ModelSettings } from '../../monitoring/generation-request.ts';
import type { StoreSettings } from '../../open-store.ts';
import type { Costs } from './estimate.ts';
import { MEASURED_RANGE, MeasuredStore } from './measured-store.ts';

export interface MeasureOptions {
  readonly models: ModelSettings;
  /** Of SQLite it says how: the file is one of its own. A server's database must be empty, and is afterwards. */
  readonly store: StoreSettings;
  /** Whether saved models are kept in the database. */
  readonly checkpointsAreRows: boolean;
  /** How long models are trained, in all. */
  readonly seconds: number;
  /** Told now and then: the share that is done, 0..1. */
  readonly onProgress: (share: number) => void;
}

export interface Measured extends Costs {
  /** Rows that each of the trained models has learned. */
  readonly learnedRows: readonly number[];
  /** Of writing a saved model, beside other work. */
  readonly writeMs: number;
}

/** A constant, a daily cycle with noise, and a counter-like saw: shapes that cost differently. */
const SHAPES: readonly ((row: number, noise: number) => number)[] = [
  (row, noise) => 50 + 30 * Math.sin((2 * Math.PI * row) / 288) + 8 * noise,
  (row, noise) => (row % 97) + 4 * noise,
  (_, noise) => 20 + (noise > 0.98 ? 60 : 5 * noise),
];
const START = 1_600_000_200;
const INTERVAL_SECONDS = 300;
const MAX_ROWS = 4_000;
/** The costs of a row are those of the last ones: a model that has learned little is cheap. */
const LAST_ROWS = 200;
const ROUNDS = 5;

const TRAINING_SHARE = 0.8;

/**
 * Costs on this machine, as busy as it is now; what it takes for that is removed again.
 * @throws HtmEngineError `store_not_empty`, and as `openStore`
 */
export async function measure(options: MeasureOptions): Promise<Measured> {
  const { models, seconds, onProgress } = options;
  const directory = await mkdtemp(join(tmpdir(), 'htmengine-plan-'));
  try {
    const store = await MeasuredStore.open({ ...options, directory });
    try {
      const trained: TrainedModel[] = [];
      for (const [index, shape] of SHAPES.entries()) {
        const model = train(models, shape, (seconds * 1000) / SHAPES.length);
        const saved = await saveAndLoad(store.checkpoints, model.model, store.metricIds[index] ?? '');
        trained.push({ ...model, ...saved });
        onProgress((TRAINING_SHARE * (index + 1)) / SHAPES.length);
        await nextTurn();
      }
      const { storeMs, rowBytes } = await store.costs();
      onProgress(1);
      const mean = (of: (model: TrainedModel) => number) =>
        trained.reduce((sum, model) => sum + of(model), 0) / trained.length;
      return {
        modelBytes: mean(({ model }) => model.byteLength),
        checkpointBytes: mean(({ checkpointBytes }) => checkpointBytes),
        computeMs: mean(({ computeMs }) => computeMs),
        loadMs: mean(({ loadMs }) => loadMs),
        saveMs: mean(({ saveMs }) => saveMs),
        writeMs: mean(({ writeMs }) => writeMs),
        rowBytes,
        storeMs,
        learnedRows: trained.map(({ rows }) => rows),
      };
    } finally {
      await store.dispose();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

interface Saved {
  readonly checkpointBytes: number;
  readonly saveMs: number;
  readonly writeMs: number;
  readonly loadMs: number;
}

interface TrainedModel extends Saved {
  readonly model: AnomalyModel;
  readonly rows: number;
  readonly computeMs: number;
}

function train({ variant, ceiling }: ModelSettings, shape: (typeof SHAPES)[number], budgetMs: number) {
  const model = AnomalyModel.create(scalarAnomalyParameters({ ...MEASURED_RANGE, variant, ceiling }));
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
async function saveAndLoad(
  checkpoints: CheckpointStore,
  model: AnomalyModel,
  metricId: string,
): Promise<Saved> {
  const times: { saveMs: number; writeMs: number; loadMs: number }[] = [];
  let checkpointBytes = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    const name = { metricId, generation: 1, rowid: round, revision: algorithmRevision };
    const beganMs = performance.now();
    const bytes = encodeCheckpoint(name, model.bytes());
    const packedMs = performance.now();
    await checkpoints.put(name, bytes);
    const writtenMs = performance.now();
    AnomalyModel.from(decodeCheckpoint(name, (await checkpoints.get(name)) ?? new Uint8Array()));
    const loadedMs = performance.now();
    times.push({ saveMs: packedMs - beganMs, writeMs: writtenMs - packedMs, loadMs: loadedMs - writtenMs });
    checkpointBytes = bytes.byteLength;
  }
  return {
    checkpointBytes,
    saveMs: median(times.map(({ saveMs }) => saveMs)),
    writeMs: median(times.map(({ writeMs }) => writeMs)),
    loadMs: median(times.map(({ loadMs }) => loadMs)),
  };
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
