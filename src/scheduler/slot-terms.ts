/** What the policy is told, and what it answers. */

export interface SlotLimits {
  readonly workers: number;
  /** Turns that may be under way on one worker: one computes while others read or commit. */
  readonly lanes: number;
  /** Over all workers. One model is allowed whatever its size. */
  readonly memoryBudgetBytes: number;
  /** What a model is taken to need before the first one has told its size. */
  readonly typicalModelBytes: number;
  /** Cold models in line at the most. */
  readonly maxWaiting: number;
  /** A row may wait so long for more of the same model while memory is short; 0 for not at all. */
  readonly maxGatherMs: number;
}

/**
 * How a turn ended. `rest`: nothing is left to do. `more`: rows are left. `replaying`: rows are left and none of
 * those of this turn was new, so that all of it would be lost if the model left now. `declined`: nothing was done,
 * because there are more rows than a fresh turn is for.
 */
export type TurnEnd = 'rest' | 'more' | 'replaying' | 'declined';

/**
 * `run`: begin a turn of the model on that worker, `fresh` if it is one before those with a known backlog. `evict`: save
 * the model if that is worth it, and drop it.
 */
export interface Decision {
  readonly kind: 'run' | 'evict';
  readonly metricId: string;
  readonly worker: number;
  readonly fresh: boolean;
}

export interface SlotUsage {
  /** Loaded, or being loaded. */
  readonly warmModels: number;
  readonly heldBytes: number;
  readonly waitingModels: number;
  /** Of these, cold ones that wait for more of their rows. */
  readonly gatheringModels: number;
}
