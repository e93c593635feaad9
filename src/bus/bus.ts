import type { RefusalReason, Sample } from '../metric.ts';

/**
 * The bus seam: carries samples from listeners to the storer (accepted means kept), and wake-ups between stages
 * (lossy by contract: losing, repeating or reordering one changes nothing). Adapters: memory/
 * inside one process, rabbitmq/ between several.
 */
export interface Bus {
  /**
   * Hands samples over. Resolves when they are *accepted*: embedded after T0, over a broker after its confirm.
   * Back-pressure: stays pending while the bus is full; senders must not read on meanwhile.
   * @throws HtmEngineError `store_unavailable` or `overloaded` (nothing was kept: try again), `stopped`
   */
  publishSamples(samples: readonly Sample[]): Promise<Receipt>;
  /**
   * Sets this process's one consumer of samples. It gets batches of several publishers together, of each metric in its
   * publisher's order, one call at a time. Several processes share the partitions; each has one consumer at a time.
   */
  consumeSamples(handler: SampleHandler): Promise<void>;

  /** Tells whoever listens that metrics have something new. Never waits, never throws. */
  wake(topic: WakeTopic, metricIds: readonly string[]): void;
  /** @returns a function that ends the subscription. */
  onWake(topic: WakeTopic, handler: (metricIds: readonly string[]) => void): () => void;

  /** Ends: what was accepted is still handled (over a broker: stays there for the next consumer), later publishing is refused with code `stopped`. */
  close(): Promise<void>;
}

/** What became of published samples. */
export interface Receipt {
  /** The samples that the storer refused (index into those published), or null where that is not known at once (broker). */
  readonly refused: readonly SampleRefusal[] | null;
}

export interface SampleRefusal {
  readonly index: number;
  readonly reason: Extract<RefusalReason, 'duplicate' | 'older'>;
}

export interface SampleDelivery {
  readonly samples: readonly Sample[];
  /** The broker says it delivered this before: repeats are counted apart from refusals. */
  readonly redelivered: boolean;
}

/** Stores every delivery or none (then it throws and the bus delivers again or tells the publishers). One refusal list per delivery. */
export type SampleHandler = (
  deliveries: readonly SampleDelivery[],
) => Promise<readonly (readonly SampleRefusal[])[]>;

export const WAKE_TOPICS = ['rowsStored', 'rawScored', 'scored'] as const;
/** `rowsStored`: work for the scheduler; `rawScored`: for the anomaly service; `scored`: for consumers. */
export type WakeTopic = (typeof WAKE_TOPICS)[number];
