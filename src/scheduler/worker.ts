/** The file a worker thread runs. */
import { parentPort } from 'node:worker_threads';
import { ModelHost } from './model-host.ts';
import { anomalyModels } from './models.ts';
import { serve } from './serve.ts';

if (parentPort === null) throw new Error('scheduler/worker runs in a worker thread only');
serve(new ModelHost(anomalyModels), parentPort);
