import { expect, it } from 'vitest';
import { InProcessWorker } from '../../test/conformance/fakes/in-process-worker.ts';
import { type WarmModel, WarmModels } from './warm-models.ts';

const model = (given: Partial<WarmModel>): WarmModel => ({
  metricId: 'a',
  partition: 0,
  worker: new InProcessWorker(),
  generation: 1,
  revision: 1,
  rowid: 1,
  savedRowid: 0,
  savedAtMs: 0,
  bytes: 1,
  newFromRowid: 0,
  nextMs: null,
  loadMs: 0,
  rowMs: null,
  saveMs: null,
  ...given,
});

it('tells how many rows are not saved, and since when the oldest of them are', () => {
  const models = new WarmModels();
  const add = (metricId: string, rowid: number, savedRowid: number, savedAtMs: number) =>
    models.add(model({ metricId, rowid, savedRowid, savedAtMs }));
  expect(models.unsaved(99_000)).toEqual({ unsavedRows: 0, checkpointAgeSeconds: 0 });
  add('a', 30, 10, 5_000);
  add('b', 8, 7, 2_500);
  // Older, but it has learned nothing since.
  add('c', 50, 50, 1_000);
  expect(models.unsaved(10_000)).toEqual({ unsavedRows: 21, checkpointAgeSeconds: 7.5 });
});

it('remembers what a model took when it is not loaded any more', () => {
  const models = new WarmModels();
  expect(models.cost('a')).toBeNull();
  models.add(model({ bytes: 5, loadMs: 3, rowMs: 0.5, saveMs: 4 }));
  models.drop('a');
  const cost = { bytes: 5, loadMs: 3, rowMs: 0.5, saveMs: 4 };
  expect(models.cost('a')).toEqual({ ...cost, warm: false });
  models.add(model({ bytes: 6, loadMs: 2 }));
  // It has run no row yet.
  expect(models.cost('a')).toEqual({ ...cost, bytes: 6, loadMs: 2, warm: true });
});
