import type { CheckpointStore } from '../checkpoints/checkpoint-store.ts';
import type { Catalogue } from './catalogue.ts';
import type { Incidents } from './incidents.ts';
import type { Leases } from './leases.ts';
import type { Log } from './log.ts';
import type { Outbox } from './outbox.ts';
import type { Queries } from './queries.ts';
import type { Retention } from './retention.ts';
import type { Transfer } from './transfer.ts';

/** The store seam: one database, opened and migrated. Adapters: sqlite/, mysql/, postgres/. */
export interface Store {
  readonly log: Log;
  readonly catalogue: Catalogue;
  readonly leases: Leases;
  readonly queries: Queries;
  readonly incidents: Incidents;
  /** Saved models as rows, for those who want everything in one place. */
  readonly checkpoints: CheckpointStore;
  readonly outbox: Outbox;
  readonly transfer: Transfer;
  readonly retention: Retention;
  /** Resolves if the database answers and can be written. @throws store_unavailable */
  ping(): Promise<void>;
  /** Finishes what was begun and closes. Calls after it are refused with code `stopped`. */
  close(): Promise<void>;
}
