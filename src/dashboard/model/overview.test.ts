import { describe, expect, it } from 'vitest';
import { aMetric } from '../testing/metrics.ts';
import { arrange } from './arrange.ts';
import { describeState, standingWords } from './describe.ts';
import { formatDuration, formatTime, formatValue } from './format.ts';
import { describeBars, describeStrip, heatLevel } from './heat.ts';
import { visibleRows } from './visible-rows.ts';

describe('a state in words', () => {
  it.each([
    [{ state: 'UNMONITORED' }, 'not monitored'],
    [{ state: 'ACTIVE' }, 'monitored'],
    [{ state: 'ACTIVE', learning: { rows: 120, of: 388 } }, 'learning 120 of 388'],
    [{ state: 'PENDING_DATA', learning: { rows: 30, of: 288 } }, 'waiting for rows 30 of 288'],
    [{ state: 'CREATE_PENDING' }, 'model is being built'],
    [{ state: 'ERROR', message: 'row 7: no space' }, 'error: row 7: no space'],
  ] as const)('%o: %s', (metric, words) => {
    expect(describeState(aMetric('m', metric)).words).toBe(words);
  });
});

it.each([
  [
    { learning: { rows: 120, of: 388 } },
    'Learning what is usual: 120 of 388 rows. Scores count from then on.',
  ],
  [{ lastLogLikelihood: 0.03 }, 'As usual: the last row is as unusual as about 1 in 2 rows.'],
  [{ lastLogLikelihood: 0.3 }, 'Unusual: the last row is as unusual as about 1 in 1,000 rows.'],
  [
    { lastLogLikelihood: 0.6 },
    'Anomalous just now; the last row is as unusual as about 1 in 1,000,000 rows.',
  ],
  [{}, 'No row is scored yet.'],
])('%o stands so: %s', (given, words) => {
  expect(standingWords(aMetric('m', { lastScoredTimestamp: 5, ...given }), null, 'utc')).toBe(words);
});

it('tells since when a metric is anomalous, and how much at its height', () => {
  const from = 1_790_000_100;
  const span = { from, to: from + 300, peak: 0.5, peakAt: from, rows: 2, open: true };
  const metric = aMetric('m', { lastLogLikelihood: 0.3, lastScoredTimestamp: from + 300 });
  expect(standingWords(metric, span, 'utc')).toBe(
    'Anomalous since 2026-09-21 14:15:00, at its height as unusual as about 1 in 100,000 rows.',
  );
  expect(standingWords(metric, { ...span, open: false }, 'utc')).toMatch(/^Unusual: /);
});

describe('the order of the overview', () => {
  const metrics = [
    aMetric('quiet', { recent: [0.03, 0.03] }),
    aMetric('unscored'),
    aMetric('was.anomalous', { recent: [0.9, ...Array.from({ length: 12 }, () => 0.03)] }),
    aMetric('anomalous', { recent: [0.9, ...Array.from({ length: 11 }, () => 0.03)] }),
    aMetric('cpu10', { recent: [0.04] }),
    aMetric('cpu9', { recent: [0.03] }),
  ];
  const names = (filter: string, order: 'anomaly' | 'name') =>
    arrange(metrics, filter, order).map(({ name }) => name);

  it('puts what was anomalous within the last 12 rows first and what has no score last', () => {
    expect(names('', 'anomaly')).toEqual([
      'anomalous',
      'cpu9',
      'cpu10',
      'quiet',
      'was.anomalous',
      'unscored',
    ]);
  });

  it('follows the ranking of a period, what is not in it by name at the end', () => {
    const places = new Map([
      ['quiet', 0],
      ['anomalous', 1],
      ['was.anomalous', 2],
    ]);
    expect(arrange(metrics, '', 'week', places).map(({ name }) => name)).toEqual([
      'quiet',
      'anomalous',
      'was.anomalous',
      'cpu9',
      'cpu10',
      'unscored',
    ]);
  });

  it('sorts by name with numbers as numbers', () => {
    expect(names('', 'name').slice(0, 3)).toEqual(['anomalous', 'cpu9', 'cpu10']);
  });

  it('filters by all words in any case', () => {
    expect(names('ANOM was', 'name')).toEqual(['was.anomalous']);
    expect(names('  ', 'name')).toHaveLength(6);
  });
});

describe('heat', () => {
  it('has the levels at which spans hold and open', () => {
    expect([0, 0.1499, 0.15, 0.2899, 0.29, 0.4999, 0.5, 0.75, 1].map(heatLevel)).toEqual([
      0, 0, 1, 1, 2, 2, 3, 4, 4,
    ]);
  });

  it('says in a sentence what the colours show', () => {
    expect(describeStrip([])).toBe('no scores yet');
    expect(describeBars([null, null], 'hour')).toBe('no scores in the last hour');
    expect(describeBars([null, 0.5, 0.03], 'week')).toBe(
      'the last week in 3 bars: highest 0.50 (anomalous), 1 anomalous',
    );
    expect(describeStrip([0.03, 0.62, 0.3])).toBe('the last 3 scores: highest 0.62 (anomalous), 1 anomalous');
  });
});

describe('numbers and times', () => {
  it('shortens values without making them another', () => {
    expect([0, 42, -1.5, 0.1 + 0.2, 1234567.8, 1.5e-7, 3e15, null].map(formatValue)).toEqual([
      '0',
      '42',
      '-1.5',
      '0.3',
      '1,234,570',
      '1.5E-7',
      '3E15',
      '–',
    ]);
  });

  it('writes times in UTC so that they sort', () => {
    expect(formatTime(1_700_000_000, 'utc')).toBe('2023-11-14 22:13:20');
  });

  it('writes lengths of time in two units', () => {
    expect([0, 45, 60, 3661, 86_400 + 60, 180_000].map(formatDuration)).toEqual([
      '0 s',
      '45 s',
      '1 min',
      '1 h 1 min',
      '1 d',
      '2 d 2 h',
    ]);
  });
});

describe('a long list', () => {
  it('renders what is seen and a little more', () => {
    expect(visibleRows({ scrolled: 0, height: 400 }, 40, 5000)).toEqual({ first: 0, end: 18 });
    expect(visibleRows({ scrolled: 4000, height: 400 }, 40, 5000)).toEqual({ first: 92, end: 118 });
    expect(visibleRows({ scrolled: -2000, height: 400 }, 40, 5000)).toEqual({ first: 0, end: 0 });
    expect(visibleRows({ scrolled: 9_999_999, height: 400 }, 40, 5)).toEqual({ first: 5, end: 5 });
  });
});
