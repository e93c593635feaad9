import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { SchedulerLog } from './committer.ts';
import type { Partitions } from '../store/log.ts';

const PAGE_METRICS = 1_000;

/**
 * Finds the work that lost wake-ups left behind: asks the store for it, page by page, at once and then every
 * `intervalMs` until `signal` ends it. Never rejects: while the store is away it tries again next time.
 */
export async function sweep(
  store: Pick<SchedulerLog, 'modelsWithWork'>,
  partitions: () => Partitions,
  wake: (metricIds: readonly string[]) => void,
  intervalMs: number,
  log: Logger,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  let failing = false;
  while (!signal.aborted) {
    try {
      await sweepOnce(store, partitions, wake, signal);
      failing = false;
    } catch (error) {
      if (!failing)
        log.warn({ event: 'scheduler.sweep_failed', err: error }, 'the store cannot be asked for work yet');
      failing = true;
    }
    await clock.sleep(intervalMs, signal).catch(() => undefined);
  }
}

/** Asks once for all the work there is in our partitions. @throws store_unavailable */
export async function sweepOnce(
  store: Pick<SchedulerLog, 'modelsWithWork'>,
  partitions: () => Partitions,
  wake: (metricIds: readonly string[]) => void,
  signal: AbortSignal,
): Promise<void> {
  let after: string | undefined = '';
  while (after !== undefined && !signal.aborted) {
    const metricIds: readonly string[] = await store.modelsWithWork(after, PAGE_METRICS, partitions());
    wake(metricIds);
    after = metricIds.length < PAGE_METRICS ? undefined : metricIds.at(-1);
  }
}
