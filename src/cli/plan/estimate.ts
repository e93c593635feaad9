/** What one sample, and one model, cost on this machine. */
export interface Costs {
  /** Of a model in memory. */
  readonly modelBytes: number;
  /** Of its saved form. */
  readonly checkpointBytes: number;
  /** Of a stored row with its scores. */
  readonly rowBytes: number;
  /** One row through a warm model. */
  readonly computeMs: number;
  readonly loadMs: number;
  readonly saveMs: number;
  /** T0, T1 and T2 of one sample, when many share a commit. */
  readonly storeMs: number;
  /** Of a process that holds no models. */
  readonly baseBytes: number;
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
  readonly diskBytesPerDay: number;
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
/** A model that has to leave is saved only after so many rows, so half as many are computed again when it comes back (checkpoint-policy.ts). */
const ROWS_BETWEEN_SAVES = 10;
const CHECKPOINTS_KEPT = 2;
const DAY_SECONDS = 86_400;
/** Beyond this share a line of work grows longer with every burst. */
const BUSY_LIMIT = 0.8;
const LEAST_DISK_DAYS = 7;

/** Steady state, from the costs of its parts. */
export function estimate(costs: Costs, question: Question): Estimate {
  const { metrics, intervalSeconds, workers, memoryBudgetBytes, maxAgeDays, freeDiskBytes } = question;
  const samplesPerSecond = metrics / intervalSeconds;
  const warmModels = Math.min(metrics, Math.max(1, Math.floor(memoryBudgetBytes / costs.modelBytes)));
  // Metrics that take turns find, with least-recently-used, always the one gone that comes next.
  const swapInsPerSecond = warmModels < metrics ? samplesPerSecond : 0;
  const swapMs =
    costs.loadMs + (ROWS_BETWEEN_SAVES / 2) * costs.computeMs + costs.saveMs / ROWS_BETWEEN_SAVES;
  const modelMs = costs.computeMs + (swapInsPerSecond > 0 ? swapMs : 0);
  const workersBusy = (samplesPerSecond * modelMs) / 1000 / workers;
  const storeBusy = (samplesPerSecond * costs.storeMs) / 1000;
  const residentBytes = costs.baseBytes + warmModels * costs.modelBytes;
  const diskBytesPerDay = samplesPerSecond * DAY_SECONDS * costs.rowBytes;
  const checkpointBytes = CHECKPOINTS_KEPT * metrics * costs.checkpointBytes;
  const diskBytesKept =
    maxAgeDays === 0
      ? null
      : checkpointBytes +
        metrics * Math.max(KEPT_ROWS, (maxAgeDays * DAY_SECONDS) / intervalSeconds) * costs.rowBytes;
  const fits = diskBytesKept !== null && diskBytesKept <= freeDiskBytes;
  const daysOfDisk = fits ? null : Math.max(0, (freeDiskBytes - checkpointBytes) / diskBytesPerDay);
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
