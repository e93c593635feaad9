import type { Partitions } from '../store/log.ts';

/** What a stage must know of a metric to work on it. */
export interface PartitionedMetric {
  readonly metricId: string;
  readonly partition: number;
}

/** A stage's view of which partitions this process works on, and under which epochs. */
export interface Ownership {
  /**
   * The epoch to name in a transaction on this metric, or null while its partition is not ours. To be asked when work on
   * a metric begins; a transaction that comes too late all the same is refused by the store.
   */
  epochFor(metric: PartitionedMetric): number | null;
  /** False for a metric that is known to be another's: no need to look at it. */
  mayOwn(metricId: string): boolean;
  /** Where to look for work. */
  readonly partitions: Partitions;
  /** Names the one who works on the stage here. At most one. */
  assign(worker: OwnershipWorker): void;
}

/** Who works on a stage: is told when partitions come and go. None of these may throw. */
export interface OwnershipWorker {
  /** Partitions came: what waits in them is to be looked for. */
  taken(): void;
  /** Partitions are gone, perhaps to another already: what is held of their metrics is of no use. */
  lost(partitions: ReadonlySet<number>): void;
  /** Partitions are about to be another's; nothing is begun in them any more. Resolves when what was begun is finished and saved. */
  handOver(partitions: ReadonlySet<number>): Promise<void>;
}

/** A process that does not work on the stage. */
export const nothingOwned: Ownership = {
  epochFor: () => null,
  mayOwn: () => false,
  partitions: [],
  assign: () => undefined,
};

/** The only process of its installation: every partition is its own, for ever, under one epoch. */
export function soleOwnership(epoch: number): Ownership {
  return {
    epochFor: () => epoch,
    mayOwn: () => true,
    partitions: null,
    assign: () => undefined,
  };
}
