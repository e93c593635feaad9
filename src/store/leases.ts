/** The stages whose work several processes share, each metric's by its partition. */
export const STAGES = ['scheduler', 'anomaly', 'publishing'] as const;
export type Stage = (typeof STAGES)[number];

/**
 * Who works on which partition of a stage, where several processes share the work. A member says again and again that it
 * lives; by the database's clock it is dead when it has not for as long as it promised. A lease belongs to a partition of
 * a stage; its epoch rises with every change of hands, and every T1-T3 names the epoch it works under, so that whoever lost
 * a lease without knowing it is refused. One process alone uses `Catalogue.takeLeases` instead.
 */
export interface Leases {
  /** Whether engines may serve this store. @throws HtmEngineError `store_incomplete` */
  checkServable(): Promise<void>;
  /** The stage as it is, for those who only look. Where one process does all the work its leases have an owner and no member lives. */
  look(stage: Stage): Promise<StageLeases>;
  /** Says that `owner` works on the stage and will say so again within `ttlMs`. @returns the stage as it is afterwards. */
  renew(stage: Stage, owner: string, ttlMs: number): Promise<StageLeases>;
  /**
   * Takes partitions, each only if its epoch is still the given one, and raises their epochs. Waits for nobody: what
   * somebody's transaction reads just then is not taken.
   * @returns those that were taken, with their new epochs.
   */
  acquire(stage: Stage, owner: string, wanted: readonly Lease[]): Promise<Lease[]>;
  /** Gives up those of the leases that `owner` still has, and raises their epochs: nothing it wrote later would be kept. */
  release(stage: Stage, owner: string, leases: readonly Lease[]): Promise<void>;
  /** `owner` works on the stage no more: all its leases are given up. */
  leave(stage: Stage, owner: string): Promise<void>;
}

/** A partition and the epoch it is held under. */
export interface Lease {
  readonly partition: number;
  readonly epoch: number;
}

export interface StageLeases {
  /** Who lives, in the order of their names. */
  readonly members: readonly string[];
  /** Every partition of the stage, in order. The owner may be dead; null if the lease was given up or never taken. */
  readonly leases: readonly (Lease & { readonly owner: string | null })[];
}
