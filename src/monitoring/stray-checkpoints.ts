import type { Logger } from 'pino';
import { retryStore } from '../backoff.ts';
import type { CheckpointStore } from '../checkpoints/checkpoint-store.ts';
import { type Clock, systemClock } from '../clock.ts';
import { hasCode } from '../errors.ts';
import { MetricStatus } from '../metric.ts';
import type { Catalogue } from '../store/catalogue.ts';

export interface StrayCheckpointsOptions {
  readonly catalogue: Pick<Catalogue, 'getMetric'>;
  readonly checkpoints: CheckpointStore;
  readonly log: Logger;
  readonly clock?: Clock;
}

/** Between two looks at everything. */
const INTERVAL_MS = 24 * 3_600_000;
/** A look takes its time: metrics of a page, and the pause after one. */
const PAGE_METRICS = 100;
const PAUSE_MS = 1_000;

/**
 * Deletes saved models that nobody will use: of metrics that have no open generation, or are gone. Closing a generation
 * deletes its checkpoints, but where a scheduler is another process, or was killed, one that it was just writing may come
 * later. What is left of a metric's closed generations beside an open one its scheduler removes itself.
 */
export class StrayCheckpoints {
  readonly #options: StrayCheckpointsOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: StrayCheckpointsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#keepSweeping();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** Never rejects. */
  async #keepSweeping(): Promise<void> {
    const { log } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#sweep();
      } catch (error) {
        if (hasCode(error, 'stopped')) return;
        log.error(
          { event: 'monitoring.cleanup_failed', err: error },
          'looking for saved models of nobody failed; trying again',
        );
      }
      await this.#sleep(INTERVAL_MS);
    }
  }

  async #sweep(): Promise<void> {
    const { checkpoints, log, clock } = this.#options;
    const { signal } = this.#stopping;
    for (let after = ''; !signal.aborted;) {
      const page = await retryStore(signal, log, () => checkpoints.metricIds(after, PAGE_METRICS), clock);
      for (const metricId of page) await retryStore(signal, log, () => this.#removeIfStray(metricId), clock);
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE_METRICS) return;
      after = last;
      await this.#sleep(PAUSE_MS);
    }
  }

  /** If a generation opens just now and its first model is saved, that goes too: it costs replay and nothing else. */
  async #removeIfStray(metricId: string): Promise<void> {
    const { catalogue, checkpoints, log } = this.#options;
    const status = (await catalogue.getMetric(metricId))?.status ?? MetricStatus.UNMONITORED;
    if (status !== MetricStatus.UNMONITORED && status !== MetricStatus.PENDING_DATA) return;
    await checkpoints.deleteAll(metricId);
    log.info(
      { event: 'monitoring.stray_checkpoints_removed', metricId },
      'saved models of a metric without a model are deleted',
    );
  }

  async #sleep(ms: number): Promise<void> {
    const { clock = systemClock } = this.#options;
    await clock.sleep(ms, this.#stopping.signal).catch(() => undefined);
  }
}
