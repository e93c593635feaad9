/** The file a worker thread runs. */
import { parentPort, workerData } from 'node:worker_threads';
import { ModelHost } from './model-host.ts';
import { anomalyModels } from './models.ts';
import { serve } from './serve.ts';
import type { ThreadWorkerData } from './thread-worker.ts';

if (parentPort === null) throw new Error('scheduler/worker runs in a worker thread only');
const { progress } = workerData as ThreadWorkerData;
serve(new ModelHost(anomalyModels, () => Atomics.add(progress, 0, 1)), parentPort);
