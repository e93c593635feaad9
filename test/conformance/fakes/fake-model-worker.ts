/** The file a worker thread runs in tests: as src/scheduler/worker.ts, with fake models. */
import { parentPort } from 'node:worker_threads';
import { ModelHost } from '../../../src/scheduler/model-host.ts';
import { serve } from '../../../src/scheduler/serve.ts';
import { fakeModels } from './fake-models.ts';

if (parentPort === null) throw new Error('runs in a worker thread only');
serve(new ModelHost(fakeModels), parentPort);
