import { Counter, Gauge, type Registry } from 'prom-client';
import type { SlotUsage } from './slot-terms.ts';
import type { WarmModels } from './warm-models.ts';

const PREFIX = 'htmengine_scheduler_';

type Usage = SlotUsage & ReturnType<WarmModels['unsaved']> & { readonly memoryBudgetBytes: number };

/** What the scheduler counts. `usage` is asked whenever the metrics are read. */
export function schedulerMetrics(registry: Registry, usage: () => Usage) {
  const registers = [registry];
  const counter = (name: string, help: string) => new Counter({ name: PREFIX + name, help, registers });
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name: PREFIX + name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  gauge('warm_models', 'Models that are loaded in a worker', () => usage().warmModels);
  gauge('warm_bytes', 'Memory of the loaded models', () => usage().heldBytes);
  gauge(
    'memory_budget_bytes',
    'What loaded models may take of the memory by the settings',
    () => usage().memoryBudgetBytes,
  );
  gauge('waiting_models', 'Models that wait for a worker', () => usage().waitingModels);
  gauge(
    'gathering_models',
    'Models, among those that wait, that are not in memory and wait for more of their rows',
    () => usage().gatheringModels,
  );
  gauge(
    'unsaved_rows',
    'Rows that loaded models have learned since their checkpoints',
    () => usage().unsavedRows,
  );
  gauge(
    'checkpoint_age_seconds',
    'Time since the oldest checkpoint, or loading, of a model that has learned since',
    () => usage().checkpointAgeSeconds,
  );
  return {
    slices: counter('slices_total', 'Slices whose raw scores were recorded'),
    rows: counter('rows_total', 'Rows whose raw scores were recorded'),
    replayedRows: counter('replayed_rows_total', 'Rows computed again after a model was loaded'),
    mismatches: counter(
      'determinism_mismatches_total',
      'Replayed rows whose raw score differs from the stored one; must stay 0',
    ),
    swapIns: counter('swap_ins_total', 'Models that were loaded or built'),
    evictions: counter('evictions_total', 'Warm models that gave way to others'),
    checkpointWrites: counter('checkpoint_writes_total', 'Checkpoints written'),
    checkpointBytes: counter('checkpoint_bytes_total', 'Bytes of checkpoints written'),
    checkpointFailures: counter(
      'checkpoint_failures_total',
      'Checkpoints that could not be saved or tidied up',
    ),
    checkpointsUnusable: counter(
      'checkpoints_unusable_total',
      'Checkpoints that were damaged or could not be loaded',
    ),
    checkpointsRemoved: counter(
      'checkpoints_removed_total',
      'Checkpoints of closed generations, or ahead of the watermark, that were found and deleted',
    ),
    workerRestarts: counter('worker_restarts_total', 'Workers that ended by themselves and were replaced'),
    failedModels: counter('failed_models_total', 'Models that were put into ERROR'),
    storeFaults: counter(
      'store_faults_total',
      'Calls to the store or the checkpoints that failed for a while',
    ),
    lostWakes: counter('lost_wakes_total', 'Wake-ups beyond the length of the line, left to the sweep'),
    modelCpu: new Counter({
      name: `${PREFIX}model_cpu_seconds_total`,
      help: 'CPU time of the model workers: loading, rows again after it, rows, and packing for checkpoints',
      labelNames: ['part'] as const,
      registers,
    }),
    refused: new Counter({
      name: `${PREFIX}refused_total`,
      help: 'Slices that the store refused, by reason',
      labelNames: ['reason'] as const,
      registers,
    }),
  };
}

export type SchedulerMetrics = ReturnType<typeof schedulerMetrics>;
