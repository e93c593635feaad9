import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Window } from './nab-corpus.ts';
import { withRangeRule } from './nab-detector.ts';
import type { Run } from './nab-run.ts';
import type { ProfileScore } from './nab-score.ts';
import { bestScore, labelSeries, PROFILES } from './nab-score.ts';

/** Writes a series' results as `<out>/<category>/htmengine_<file>.csv` and returns the file's path. */
export function writeResults(out: string, { series, detection }: Run): string {
  const [category = '', file = ''] = series.name.split('/');
  const path = join(out, category, `htmengine_${file}`);
  const scores = withRangeRule(detection);
  const lines = series.timestamps.map((timestamp, i) =>
    [timestamp, series.values[i], scores[i], detection.rawScores[i]].join(','),
  );
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, ['timestamp,value,anomaly_score,raw_score', ...lines, ''].join('\n'));
  return path;
}

/** Scores of one way to detect, for the three profiles in their order. */
export interface DetectorScores {
  readonly detector: string;
  readonly profiles: readonly ProfileScore[];
}

/** Scores the labelled ones of `runs` with the range rule, without it, and the rule alone. */
export function scoreRuns(
  runs: readonly Run[],
  windows: ReadonlyMap<string, readonly Window[]>,
): DetectorScores[] {
  const labelled = runs.filter(({ series }) => windows.has(series.name));
  const series = labelled.map((run) => labelSeries(run.series.seconds, windows.get(run.series.name) ?? []));
  const scored = (detector: string, scores: Float64Array[]): DetectorScores => ({
    detector,
    profiles: PROFILES.map((profile) => bestScore(series, scores, profile)),
  });
  return [
    scored(
      'with the range rule',
      labelled.map(({ detection }) => withRangeRule(detection)),
    ),
    scored(
      'without the range rule',
      labelled.map(({ detection }) => detection.logLikelihoods),
    ),
    scored(
      'range rule alone, no model',
      labelled.map(({ detection }) => detection.outside),
    ),
  ];
}

/** The scores as a table for people. */
export function scoreTable(scores: readonly DetectorScores[]): string {
  const head = ['', ...PROFILES.map(({ name }) => name)];
  const rows = scores.map(({ detector, profiles }) => [
    detector,
    ...profiles.map(({ normalized }) => normalized?.toFixed(2) ?? '-'),
  ]);
  return [head, ...rows]
    .map(([first = '', ...cells]) => first.padEnd(28) + cells.map((cell) => cell.padStart(15)).join(''))
    .join('\n');
}
