import type { CheckpointStore } from './checkpoints/checkpoint-store.ts';
import type { Store } from './store/store.ts';

const PAGE_METRICS = 100;
const BATCH_ROWS = 5_000;

/**
 * Removes every metric with its rows and saved models, and every mute. No engine may run on the store. Cut short
 * anywhere it goes on when called again.
 * @param checkpoints everywhere that saved models may be kept.
 * @returns how many metrics there were.
 */
export async function resetInstallation(
  { catalogue, queries, incidents }: Pick<Store, 'catalogue' | 'queries' | 'incidents'>,
  checkpoints: readonly Pick<CheckpointStore, 'deleteAll'>[],
  onMetric: () => void,
): Promise<number> {
  await catalogue.abandonCopies();
  let metrics = 0;
  for (;;) {
    const page = await queries.listMetrics('', PAGE_METRICS);
    for (const { metricId } of page) {
      await catalogue.unmonitor(metricId);
      for (const kept of checkpoints) await kept.deleteAll(metricId);
      await catalogue.discardMetric(metricId);
      while (await catalogue.removeDiscarded(BATCH_ROWS));
      metrics += 1;
      onMetric();
    }
    if (page.length === 0) break;
  }
  while (await catalogue.removeDiscarded(BATCH_ROWS));
  for (const { id } of await incidents.mutes()) await incidents.removeMute(id);
  return metrics;
}
