import { expect, it } from 'vitest';
import { InProcessWorker } from '../../test/conformance/fakes/in-process-worker.ts';
import { WarmModels } from './warm-models.ts';

it('tells how many rows are not saved, and since when the oldest of them are', () => {
  const models = new WarmModels();
  const worker = new InProcessWorker();
  const add = (metricId: string, rowid: number, savedRowid: number, savedAtMs: number) =>
    models.add({
      metricId,
      partition: 0,
      worker,
      generation: 1,
      revision: 1,
      rowid,
      savedRowid,
      savedAtMs,
      bytes: 1,
      newFromRowid: 0,
      nextMs: null,
      rowMs: null,
      saveMs: null,
    });
  expect(models.unsaved(99_000)).toEqual({ unsavedRows: 0, checkpointAgeSeconds: 0 });
  add('a', 30, 10, 5_000);
  add('b', 8, 7, 2_500);
  // Older, but it has learned nothing since.
  add('c', 50, 50, 1_000);
  expect(models.unsaved(10_000)).toEqual({ unsavedRows: 21, checkpointAgeSeconds: 7.5 });
});
