import { LinkedSet } from './linked-set.ts';
import type { SlotModel } from './slot-models.ts';

/** Pressure follows the share of lanes with this time constant. */
const FOLLOWS_MS = 10_000;
/** Up to this pressure nobody waits; from the other one on as long as is allowed. */
const CALM = 0.25;
const HARD = 0.75;

/**
 * Cold models that wait for more of their rows, so that one swap-in serves several: latency for swap-ins. Nobody
 * waits while swapping models in takes little of the workers' time, the more it takes the longer, and never longer than
 * `maxWaitMs`. A model waits only if another row of it is due before the end of its wait, and no longer than until the last
 * such row.
 */
export class Gathering {
  readonly #maxWaitMs: number;
  /** In the order in which their waits end. */
  readonly #models = new LinkedSet<SlotModel>();
  #pressure = 0;
  #swappingIn = 0;
  #passedMs: number | null = null;
  #lastDueMs = Number.NEGATIVE_INFINITY;

  constructor(maxWaitMs: number) {
    this.#maxWaitMs = maxWaitMs;
  }

  get size(): number {
    return this.#models.size;
  }

  /** The one whose wait ends first. */
  get first(): SlotModel | null {
    return this.#models.first;
  }

  /** Of all lanes, the share that is taken from now on by models that are being swapped in for few rows, 0..1. */
  set swappingIn(share: number) {
    this.#swappingIn = share;
  }

  /** Takes out those whose wait is over. @param nowMs never before that of the last call */
  due(nowMs: number): SlotModel[] {
    const elapsedMs = nowMs - (this.#passedMs ?? nowMs);
    this.#pressure += Math.min(1, elapsedMs / FOLLOWS_MS) * (this.#swappingIn - this.#pressure);
    this.#passedMs = nowMs;
    const due: SlotModel[] = [];
    for (let { first } = this.#models; first !== null && first.dueMs <= nowMs; { first } = this.#models) {
      this.#models.delete(first);
      due.push(first);
    }
    return due;
  }

  /** How long a model would wait that begins now. */
  get waitMs(): number {
    const share = (this.#pressure - CALM) / (HARD - CALM);
    return this.#maxWaitMs * Math.min(1, Math.max(0, share));
  }

  /** Lets a cold model wait if that brings it another row. @param apartMs between rows of it; null if nobody knows */
  add(model: SlotModel, nowMs: number, apartMs: number | null): boolean {
    const { waitMs } = this;
    if (apartMs === null || apartMs > waitMs) return false;
    // Whoever came before has waited for longer, though pressure may have been higher then.
    this.#lastDueMs = Math.max(this.#lastDueMs, nowMs + waitMs);
    model.dueMs = this.#lastDueMs;
    this.#models.add(model);
    return true;
  }

  /** Another row of a model that waits has come. @returns whether one more may be waited for */
  isWorthMore(model: SlotModel, nowMs: number, apartMs: number | null): boolean {
    return apartMs !== null && nowMs + apartMs <= model.dueMs;
  }

  delete(model: SlotModel): void {
    this.#models.delete(model);
  }
}
