import { expect, it } from 'vitest';
import { aMetric } from '../testing/metrics.ts';
import { groupByPrefix, prefixOf } from './groups.ts';

it('a prefix ends with the first separator after the first character', () => {
  expect(['web.cpu.load', 'a/b', 'disk:free', '/x/y', 'plain', '.hidden'].map(prefixOf)).toEqual([
    'web.',
    'a/',
    'disk:',
    '/x/',
    '',
    '',
  ]);
});

it('groups stand where their first metric does, and a folded one shows none', () => {
  const metrics = ['b.1', 'a.1', 'plain', 'b.2'].map((name) => aMetric(name));
  const lines = groupByPrefix(metrics, new Set(['a.'])).map((item) =>
    item.kind === 'metric'
      ? item.metric.name
      : `[${item.prefix} ${item.metrics}${item.folded ? ' folded' : ''}]`,
  );
  expect(lines).toEqual(['[b. 2]', 'b.1', 'b.2', '[a. 1 folded]', '[ 1]', 'plain']);
});
