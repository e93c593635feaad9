import { expect, it } from 'vitest';
import { ModelHost } from './model-host.ts';
import type { Model } from './models.ts';

const metricId = 'e'.repeat(32);

/** Gives these scores, and texts for them. */
function scripted(scores: readonly number[]): Model {
  let row = 0;
  return {
    run: () => scores[row++] ?? 0,
    reset: () => undefined,
    predictions: () => `{"1":${row}}`,
    save: () => new Uint8Array(),
    byteLength: 1,
    release: () => undefined,
  };
}

function host(scores: readonly number[]): ModelHost {
  const models = new ModelHost({ create: () => scripted(scores), restore: () => scripted(scores) });
  models.load({ metricId, modelParams: {}, checkpoint: null });
  return models;
}

function run(models: ModelHost, rows: number) {
  return models.run({
    metricId,
    timestamps: new Float64Array(rows),
    values: new Float64Array(rows),
    replayed: 0,
  });
}

it('gives a prediction text with every score', () => {
  const reply = run(host([0, 0.5, 1]), 3);
  expect(Array.from(reply.rawScores)).toEqual([0, 0.5, 1]);
  expect(reply.predictions).toEqual(['{"1":1}', '{"1":2}', '{"1":3}']);
});

it.each([Number.NaN, -0.1, 1.1, Number.POSITIVE_INFINITY])(
  'takes a raw score of %d for a failure at its row',
  (score) => {
    const reply = run(host([0.25, score, 0.5]), 3);
    expect(Array.from(reply.rawScores)).toEqual([0.25]);
    expect(reply.predictions).toEqual(['{"1":1}']);
    expect(reply.failure).toContain('not in 0..1');
  },
);
