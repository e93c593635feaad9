import type { Logger } from 'pino';
import { retry, type Backoff } from '../backoff.ts';
import type { Bus } from '../bus/bus.ts';
import { hasCode } from '../errors.ts';
import type { Sample } from '../metric.ts';

const PUBLISH_BACKOFF: Backoff = { initialDelayMs: 50, maxDelayMs: 5_000 };
/**
 * An error that is not known to pass is met this often before the samples are given up. It may be no more than a
 * lost answer, and what was stored after all is refused when it is repeated.
 */
const MAX_UNKNOWN_ERRORS = 5;

export interface PublishServices {
  readonly bus: Pick<Bus, 'publishSamples'>;
  readonly log: Logger;
  /** Aborted, no further attempt is made. */
  readonly signal: AbortSignal;
}

/**
 * Publishes samples that a sender has handed over, again and again until they are accepted.
 * @throws the bus's error if it has stopped or does not recover; HtmEngineError `stopped` if aborted
 */
export async function publishUntilAccepted(
  samples: readonly Sample[],
  { bus, log, signal }: PublishServices,
): Promise<void> {
  let unknownErrors = 0;
  await retry(() => bus.publishSamples(samples), {
    ...PUBLISH_BACKOFF,
    signal,
    isRetriable: (error) => {
      if (hasCode(error, 'store_unavailable') || hasCode(error, 'overloaded')) return true;
      return !hasCode(error, 'stopped') && ++unknownErrors < MAX_UNKNOWN_ERRORS;
    },
    onRetry: (error, failures) => {
      if (failures > 1) return;
      log.warn(
        { event: 'graphite.publish_failed', samples: samples.length, err: error },
        'samples of a sender are not accepted; trying again until they are',
      );
    },
  });
}
