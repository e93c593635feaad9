import type { ConfigInput } from '../../src/config.ts';
import { firstDifference, type RunOptions, runPipeline } from '../support/pipeline-run.ts';
import { allSeries } from './nab.ts';

/** A budget that any model exceeds, so that only one is ever warm. */
export const ONE_MODEL: ConfigInput = { scheduler: { memoryBudgetBytes: 1 } };

/** What must not change a single score, against one worker, memory for all, and one burst. */
export const VARIATIONS: readonly { readonly title: string; readonly options: Partial<RunOptions> }[] = [
  { title: 'two workers', options: { settings: { scheduler: { workers: 2 } } } },
  { title: 'memory for one model', options: { settings: ONE_MODEL } },
  { title: 'rows one by one', options: { delivery: 'lineByLine' } },
];

/** The same rows and scores however the work is divided. */
export async function equality(): Promise<void> {
  const series = allSeries();
  const base = await runPipeline({
    series,
    monitor: 'afterLastRow',
    settings: { scheduler: { workers: 1 } },
  });
  for (const { title, options } of VARIATIONS) {
    const varied = await runPipeline({ series, monitor: 'afterLastRow', ...options });
    const difference = firstDifference(base.rows, varied.rows);
    process.stdout.write(`${title}: ${difference ?? 'equal'}\n`);
    if (difference !== null) throw new Error(`${title}: ${difference}`);
  }
}
