import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AnomalyBars } from '../../anomaly-bars.ts';
import type { CheckpointStore } from '../../checkpoints/checkpoint-store.ts';
import { HtmEngineError } from '../../errors.ts';
import { generationRequest, type ModelSettings } from '../../monitoring/generation-request.ts';
import { checkModelSpec } from '../../monitoring/model-spec.ts';
import {
  describeStore,
  openCheckpointFiles,
  openStore,
  SQLITE,
  type StoreSettings,
} from '../../open-store.ts';
import { resetInstallation } from '../../reset-installation.ts';
import type { Store } from '../../store/store.ts';

export interface MeasuredStoreOptions {
  readonly models: ModelSettings;
  readonly store: StoreSettings;
  readonly checkpointsAreRows: boolean;
  /** An empty directory. */
  readonly directory: string;
}

export interface StoreCosts {
  /** T0, T1 and T2 of one sample. */
  readonly storeMs: number;
  /** Null on a server. */
  readonly rowBytes: number | null;
}

const METRICS = 200;
const ROWS = 30;
const START = 1_600_000_200;
const INTERVAL_SECONDS = 300;
/** Of the models. */
export const MEASURED_RANGE = { min: 0, max: 130 };

/** A store with some monitored metrics that is there to be measured, and has to be empty before and after. */
export class MeasuredStore {
  readonly metricIds: readonly string[];
  readonly checkpoints: CheckpointStore;
  readonly #options: MeasuredStoreOptions;
  #store: Store;

  private constructor(
    options: MeasuredStoreOptions,
    store: Store,
    metricIds: readonly string[],
    checkpoints: CheckpointStore,
  ) {
    this.#options = options;
    this.#store = store;
    this.metricIds = metricIds;
    this.checkpoints = checkpoints;
  }

  /** @throws HtmEngineError `store_not_empty`, and as `openStore` */
  static async open(options: MeasuredStoreOptions): Promise<MeasuredStore> {
    const { directory, models, checkpointsAreRows } = options;
    const store = await openStore(options.store, fileIn(directory));
    try {
      await refuseUnlessEmpty(store, options.store.url);
      const metricIds = await monitorMetrics(store, models);
      const checkpoints = checkpointsAreRows
        ? store.checkpoints
        : await openCheckpointFiles(join(directory, 'checkpoints'));
      return new MeasuredStore(options, store, metricIds, checkpoints);
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /** Many metrics with a row each, again and again, as live samples come. */
  async costs(): Promise<StoreCosts> {
    const { store: settings, directory } = this.#options;
    const isFile = settings.url === SQLITE;
    const path = fileIn(directory);
    let emptyBytes = 0;
    if (isFile) {
      // Closed, the file is all there is.
      await this.#store.close();
      emptyBytes = (await stat(path)).size;
      this.#store = await openStore(settings, path);
    }
    const epoch = await this.#store.catalogue.takeLeases('plan');
    const startedMs = performance.now();
    for (let row = 1; row <= ROWS; row++) await storeRow(this.#store, this.metricIds, row, epoch);
    const storeMs = (performance.now() - startedMs) / (ROWS * METRICS);
    if (!isFile) return { storeMs, rowBytes: null };
    await this.#store.close();
    const rowBytes = ((await stat(path)).size - emptyBytes) / (ROWS * METRICS);
    this.#store = await openStore(settings, path);
    return { storeMs, rowBytes };
  }

  /** Leaves a server's database as empty as it was. */
  async dispose(): Promise<void> {
    const store = this.#store;
    try {
      if (this.#options.store.url !== SQLITE)
        await resetInstallation(store, [store.checkpoints], () => undefined);
    } finally {
      await store.close();
    }
  }
}

function fileIn(directory: string): string {
  return join(directory, 'plan.db');
}

async function refuseUnlessEmpty(store: Store, url: string): Promise<void> {
  const { metrics } = await store.transfer.describe();
  if (metrics === 0) return;
  throw new HtmEngineError(
    'store_not_empty',
    `${describeStore(url)} has ${metrics} metrics, and plan writes to what it measures: create an empty database on the same server and give that one with --store`,
  );
}

const nameOf = (index: number) => `plan.metric.${index}`;

async function monitorMetrics(store: Store, models: ModelSettings): Promise<string[]> {
  const metricIds: string[] = [];
  for (let index = 0; index < METRICS; index++) {
    const name = nameOf(index);
    const { metricId } = await store.catalogue.createMetric(name);
    const spec = checkModelSpec({ metricSpec: { metric: name }, modelParams: MEASURED_RANGE });
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
