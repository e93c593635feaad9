import { algorithmRevision } from '../htm/index.ts';
import { workerFile } from '../worker-file.ts';
import type { ModelWorker } from './model-worker.ts';
import { ThreadWorker } from './thread-worker.ts';

/** Where models run, and which ones this program can run. */
export interface ModelRuntime {
  readonly startWorker: () => Promise<ModelWorker>;
  /** Whether this program computes exactly what that revision of the algorithms did. */
  readonly knowsRevision: (revision: number) => boolean;
}

/** The HTM models, each worker a thread. */
export const threadRuntime: ModelRuntime = {
  startWorker: async () => await ThreadWorker.start(workerFile(import.meta.url, 'worker')),
  knowsRevision: (revision) => revision === algorithmRevision,
};
