import { besidesModels } from '../../memory-share.ts';
import { rowsBetweenSaves, STAYING_SAVES } from '../../scheduler/checkpoint-policy.ts';

/** What one sample, and one model, cost on this machine. */
export interface Costs {
  /** Of a model in memory. */
  readonly modelBytes: number;
  /** Of its saved form. */
  readonly checkpointBytes: number;
  /** Of a stored row with its scores; null on a database server, which has a disk of its own. */
  readonly rowBytes: number | null;
  /** One row through a warm model. */
  readonly computeMs: number;
  readonly loadMs: number;
  /** Packing alone, for which the worker is needed; writing goes on beside it. */
  readonly saveMs: number;
  /** T0, T1 and T2 of one sample, when many share a commit. */
  readonly storeMs: number;
}

/** What is asked for, and what there is. */
export interface Question {
  readonly metrics: number;
  readonly intervalSeconds: number;
  readonly workers: number;
  readonly memoryBudgetBytes: number;
  /** Of the machine or its container. */
  readonly memoryBytes: number;
  readonly freeDiskBytes: number;
  /** 0 for ever. */
  readonly maxAgeDays: number;
}

export interface Estimate {
  readonly samplesPerSecond: number;
  readonly warmModels: number;
  readonly swapInsPerSecond: number;
  /** Shares of what there is, 1 for all of it. */
  readonly workersBusy: number;
  readonly storeBusy: number;
  readonly residentBytes: number;
  /** Of checkpoints. */
  readonly savesPerSecond: number;
  /** Of rows; null if they are on a server. */
  readonly diskBytesPerDay: number | null;
  readonly checkpointBytes: number;
  /** With rows purged at `maxAgeDays`; null if they are kept for ever. */
  readonly diskBytesKept: number | null;
  /** Until the disk is full; null if it never is. */
  readonly daysOfDisk: number | null;
  /** If samples come evenly, and if those of all metrics come at once. Null if work comes faster than it is done. */
  readonly lagSeconds: number | null;
  readonly lagAllAtOnceSeconds: number | null;
  /** Why this machine cannot carry it; empty if it can. */
  readonly obstacles: readonly string[];
}

/** Rows that always stay of a metric with a model: the likelihood looks back over them (docs/retention.md). */
const KEPT_ROWS = 8640;
const CHECKPOINTS_KEPT = 2;
const DAY_SECONDS = 86_400;
/** Beyond this share a line of work grows longer with every burst. */
const BUSY_LIMIT = 0.8;
const LEAST_DISK_DAYS = 7;

/** Steady state, from the costs of its parts. */
export function estimate(costs: Costs, question: Question): Estimate {
  const { metrics, intervalSeconds, workers, memoryBudgetBytes, maxAgeDays, freeDiskBytes } = question;
  const { computeMs, loadMs, saveMs, rowBytes } = costs;
  const samplesPerSecond = metrics / intervalSeconds;
  const warmModels = Math.min(metrics, Math.max(1, Math.floor(memoryBudgetBytes / costs.modelBytes)));
  // The model leaves whose next row is furthest away (decision 14): of metrics that take turns all but one of those that
  // there is memory for are found warm.
  const coldShare = warmModels < metrics ? (metrics - warmModels) / (metrics - 1) : 0;
  const swapInsPerSecond = samplesPerSecond * coldShare;
  const coldRows = rowsBetweenSaves(computeMs, saveMs);
  const coldMs = loadMs + ((coldRows - 1) / 2) * computeMs + saveMs / coldRows;
  const warmMs = computeMs / STAYING_SAVES;
  const modelMs = computeMs + coldShare * coldMs + (1 - coldShare) * warmMs;
  const savesPerSecond =
    swapInsPerSecond / coldRows + (samplesPerSecond - swapInsPerSecond) * (warmMs / saveMs);
  const workersBusy = (samplesPerSecond * modelMs) / 1000 / workers;
  const storeBusy = (samplesPerSecond * costs.storeMs) / 1000;
  const residentBytes = besidesModels(workers) + warmModels * costs.modelBytes;
  const diskBytesPerDay = rowBytes === null ? null : samplesPerSecond * DAY_SECONDS * rowBytes;
  const checkpointBytes = CHECKPOINTS_KEPT * metrics * costs.checkpointBytes;
  const diskBytesKept =
    maxAgeDays === 0 || rowBytes === null
      ? null
      : checkpointBytes +
        metrics * Math.max(KEPT_ROWS, (maxAgeDays * DAY_SECONDS) / intervalSeconds) * rowBytes;
  const fits = diskBytesKept !== null && diskBytesKept <= freeDiskBytes;
  const daysOfDisk =
    fits || diskBytesPerDay === null
      ? null
      : Math.max(0, (freeDiskBytes - checkpointBytes) / diskBytesPerDay);
  const sampleSeconds = modelMs / 1000 + costs.storeMs / 1000;
  const busiest = Math.max(workersBusy, storeBusy);
  const allAtOnce = (metrics * Math.max(modelMs / workers, costs.storeMs)) / 1000;
  const result = {
    samplesPerSecond,
    warmModels,
    swapInsPerSecond,
    workersBusy,
    storeBusy,
    residentBytes,
    savesPerSecond,
    diskBytesPerDay,
    checkpointBytes,
    diskBytesKept,
    daysOfDisk,
    lagSeconds: busiest < 1 ? sampleSeconds / (1 - busiest) : null,
    lagAllAtOnceSeconds: busiest < 1 ? allAtOnce : null,
  };
  return { ...result, obstacles: obstacles(result, question) };
}

function obstacles(result: Omit<Estimate, 'obstacles'>, { memoryBytes }: Question): string[] {
  const { workersBusy, storeBusy, residentBytes, daysOfDisk, checkpointBytes } = result;
  const percent = (share: number) => `${Math.round(100 * share)} %`;
  const found: string[] = [];
  if (workersBusy > BUSY_LIMIT)
    found.push(
      `the worker threads would be busy ${percent(workersBusy)} of the time: more cores, fewer metrics or a longer interval`,
    );
  if (storeBusy > BUSY_LIMIT)
    found.push(
      `the database would be busy ${percent(storeBusy)} of the time: a faster disk, fewer metrics or a longer interval`,
    );
  if (residentBytes > memoryBytes)
    found.push('the models kept warm do not fit into memory: lower scheduler.memoryBudgetBytes');
  if (daysOfDisk !== null && daysOfDisk < LEAST_DISK_DAYS)
    found.push(
      `the disk is full after ${daysOfDisk.toFixed(1)} days (saved models alone take ${(checkpointBytes / 2 ** 30).toFixed(1)} GiB): a larger disk, or retention.maxAgeDays`,
    );
  return found;
}
