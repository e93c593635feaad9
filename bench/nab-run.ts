import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Series } from './nab-corpus.ts';
import type { Detection } from './nab-detector.ts';
import type { WorkerMessage, WorkerSettings } from './nab-worker.ts';

/** A series with what was computed for it. */
export interface Run {
  readonly series: Series;
  readonly detection: Detection;
  readonly cpuMicroseconds: number;
}

/** Told while a run goes on. */
export interface RunListener {
  onRows: (rows: number) => void;
  onSeries: (run: Run) => void;
}

/**
 * Runs all series on as many worker threads as there are cores, the longest first.
 * @returns the runs in the order of `series`.
 */
export async function runAll(
  series: readonly Series[],
  settings: WorkerSettings,
  listener: RunListener,
): Promise<Run[]> {
  const queue = series.toSorted((a, b) => b.values.length - a.values.length);
  const runs = new Map<Series, Run>();
  const work = async () => {
    const worker = new Worker(new URL('./nab-worker.ts', import.meta.url), { workerData: settings });
    try {
      for (let next = queue.shift(); next; next = queue.shift()) {
        const run = await runOne(worker, next, listener);
        runs.set(next, run);
        listener.onSeries(run);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), series.length) }, work));
  return series.flatMap((one) => runs.get(one) ?? []);
}

function runOne(worker: Worker, series: Series, listener: RunListener): Promise<Run> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: WorkerMessage) => {
      if ('rows' in message) {
        listener.onRows(message.rows);
        return;
      }
      worker.off('message', onMessage).off('error', reject);
      resolve({ series, ...message });
    };
    worker.on('message', onMessage).on('error', reject);
    worker.postMessage(series.name);
  });
}
