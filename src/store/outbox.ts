/**
 * What happened to models and is still to be told: kept in the transaction in which it happened, taken away when it was
 * told. Nothing is kept before somebody has said, by `startKeeping`, that it will tell.
 */
export interface Outbox {
  /** From now on events are kept, whichever process they happen in. */
  startKeeping(): Promise<void>;
  /** No more are kept, and those that are there are forgotten. */
  stopKeeping(): Promise<void>;
  /** Events that are kept, at most `limit` (1..10,000): those of each metric in the order in which they happened. */
  read(limit: number): Promise<ModelEvent[]>;
  /** Takes away events that were told. */
  remove(eventIds: readonly string[]): Promise<void>;
}

/** `built`: a model exists; `deleted`: monitoring ended, or another generation begins; `failed`: the metric went to ERROR. */
export type ModelEventKind = 'built' | 'deleted' | 'failed';

export interface ModelEvent {
  /** 32 hex digits. */
  readonly eventId: string;
  readonly kind: ModelEventKind;
  readonly metricId: string;
  readonly metricName: string;
  readonly resource: string;
  readonly generation: number;
  /** The model spec (JSON) as it was given; null for `deleted`. */
  readonly modelSpec: string | null;
  /** Why it failed; null for the others. */
  readonly message: string | null;
}
