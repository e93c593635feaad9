/** Worker thread of the benchmark: runs one series after another, as told. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Ceiling } from '../src/htm/index.ts';
import { readSeries } from './nab-corpus.ts';
import type { Detection, Range, Variant } from './nab-detector.ts';
import { detect, likelihoodFor, rawScorer } from './nab-detector.ts';

/** What a worker is started with. */
export interface WorkerSettings {
  readonly corpus: string;
  readonly variant: Variant;
  readonly range: Range;
  readonly ceiling: Ceiling | null;
}

/** What a worker tells: rows done since it last told, or the result of the series it was given. */
export type WorkerMessage =
  { readonly rows: number } | { readonly detection: Detection; readonly cpuMicroseconds: number };

const ROWS_PER_MESSAGE = 250;

const { corpus, variant, range, ceiling } = workerData as WorkerSettings;

parentPort?.on('message', (name: string) => {
  const series = readSeries(corpus, name);
  const before = process.threadCpuUsage();
  const rawScoreOf = rawScorer(series, variant, range, ceiling);
  let untold = 0;
  const tellRows = () => {
    tell({ rows: untold });
    untold = 0;
  };
  const detection = detect(
    series,
    (row) => {
      if (++untold === ROWS_PER_MESSAGE) tellRows();
      return rawScoreOf(row);
    },
    likelihoodFor(series.values.length),
  );
  tellRows();
  const { user, system } = process.threadCpuUsage(before);
  tell({ detection, cpuMicroseconds: user + system });
});

function tell(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}
