import type { Logger } from 'pino';
import { isWorthTelling } from '../backoff.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { Lease, Leases, Stage, StageLeases } from '../store/leases.ts';
import type { Partitions } from '../store/log.ts';
import { balance } from './balance.ts';
import type { Ownership, OwnershipWorker, PartitionedMetric } from './ownership.ts';
import type { OwnershipTelemetry } from './ownership-telemetry.ts';

export interface SharedOwnershipOptions {
  readonly stage: Stage;
  /** A name that no other process has or had. */
  readonly owner: string;
  readonly leases: Leases;
  /** A process that has not said for so long that it lives is dead: others take its partitions. */
  readonly leaseMs: number;
  readonly log: Logger;
  readonly telemetry: OwnershipTelemetry;
  readonly clock?: Clock;
}

/** Renewals in the time that a lease lasts. The last of them is the margin by which this process stops before others take over. */
const RENEWALS_PER_LEASE = 5;
/** Metrics whose partition is kept in mind; beyond that they are learned anew. */
const MAX_KNOWN_METRICS = 200_000;

/**
 * A stage's share of the partitions where several processes work on it: says again and again that this process lives,
 * takes what is free up to its share, and hands over what it has too much of (`balance`). A lease is ours only while the
 * last renewal that succeeded is, by our own clock, well within its time: a process that was stopped or cut off finds
 * itself without partitions before it begins anything.
 */
export class SharedOwnership implements Ownership {
  readonly #options: SharedOwnershipOptions;
  readonly #log: Logger;
  readonly #clock: Clock;
  /** Epochs of our partitions. */
  readonly #held = new Map<number, number>();
  /** Those of them that are being handed over. */
  readonly #leaving = new Set<number>();
  readonly #handovers = new Set<Promise<void>>();
  readonly #partitionOf = new Map<string, number>();
  #validUntilMs = Number.NEGATIVE_INFINITY;
  #worker: OwnershipWorker | null = null;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  /** Renewals in a row that failed. */
  #failures = 0;

  constructor(options: SharedOwnershipOptions) {
    const { stage, owner, telemetry } = options;
    this.#options = options;
    this.#log = options.log.child({ stage, owner });
    this.#clock = options.clock ?? systemClock;
    telemetry.watch(stage, () => this.partitions?.length ?? 0);
  }

  /** Takes part from now on. @throws store_unavailable */
  async start(): Promise<void> {
    await this.#renew();
    this.#running = this.#keepRenewing();
  }

  /** Gives all partitions up; whoever works on the stage here has ended. Others find out at once. */
  async stop(): Promise<void> {
    const { leases, stage, owner } = this.#options;
    this.#stopping.abort();
    await this.#running;
    await Promise.all(this.#handovers);
    this.#held.clear();
    await leases.leave(stage, owner);
  }

  assign(worker: OwnershipWorker): void {
    if (this.#worker !== null) throw new Error(`someone works on ${this.#options.stage} already`);
    this.#worker = worker;
  }

  epochFor({ metricId, partition }: PartitionedMetric): number | null {
    if (this.#partitionOf.size >= MAX_KNOWN_METRICS) this.#partitionOf.clear();
    this.#partitionOf.set(metricId, partition);
    return this.#owns(partition) ? (this.#held.get(partition) ?? null) : null;
  }

  mayOwn(metricId: string): boolean {
    const partition = this.#partitionOf.get(metricId);
    return partition === undefined || this.#owns(partition);
  }

  get partitions(): Partitions {
    return [...this.#held.keys()].filter((partition) => this.#owns(partition));
  }

  #owns(partition: number): boolean {
    return (
      this.#held.has(partition) && !this.#leaving.has(partition) && this.#clock.now() < this.#validUntilMs
    );
  }

  /** Never rejects. */
  async #keepRenewing(): Promise<void> {
    const { signal } = this.#stopping;
    for (;;) {
      await this.#clock.sleep(this.#options.leaseMs / RENEWALS_PER_LEASE, signal).catch(() => undefined);
      if (signal.aborted) return;
      await this.#tryRenewing();
    }
  }

  async #tryRenewing(): Promise<void> {
    const { telemetry, stage } = this.#options;
    try {
      await this.#renew();
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      telemetry.failures.inc({ stage });
      if (!isWorthTelling(this.#failures)) return;
      this.#log.warn(
        { event: 'ownership.renewal_failed', failures: this.#failures, err: error },
        'cannot say that this process lives; without that it stops working on its partitions',
      );
    }
  }

  async #renew(): Promise<void> {
    const { leases, stage, owner, leaseMs } = this.#options;
    const wasValid = this.#clock.now() < this.#validUntilMs;
    const askedAtMs = this.#clock.now();
    const state = await leases.renew(stage, owner, leaseMs);
    const changed = this.#follow(state);
    this.#validUntilMs = askedAtMs + leaseMs - leaseMs / RENEWALS_PER_LEASE;
    const { take, give } = balance(state, owner);
    const taken = take.length === 0 ? [] : await leases.acquire(stage, owner, take);
    for (const { partition, epoch } of taken) this.#held.set(partition, epoch);
    this.#tell('taken', taken);
    if (changed || taken.length > 0 || !wasValid) this.#worker?.taken();
    this.#handOver(give.filter(({ partition }) => !this.#leaving.has(partition)));
  }

  /**
   * Brings what we hold in line with the store: what another took meanwhile is lost; what is ours there is ours, also if
   * the answer to our taking it was lost.
   * @returns whether any came.
   */
  #follow({ leases }: StageLeases): boolean {
    const { owner } = this.#options;
    const ours = new Map<number, number>();
    for (const lease of leases) if (lease.owner === owner) ours.set(lease.partition, lease.epoch);
    const lost = [...this.#held].filter(([partition, epoch]) => ours.get(partition) !== epoch);
    const found = [...ours].filter(([partition]) => !this.#held.has(partition));
    for (const [partition] of lost) this.#held.delete(partition);
    for (const [partition, epoch] of found) this.#held.set(partition, epoch);
    this.#tell(
      'lost',
      lost.map(([partition, epoch]) => ({ partition, epoch })),
    );
    if (lost.length > 0) this.#worker?.lost(new Set(lost.map(([partition]) => partition)));
    return found.length > 0;
  }

  /** Beside the renewals, which must go on. */
  #handOver(given: readonly Lease[]): void {
    if (given.length === 0) return;
    const partitions = new Set(given.map(({ partition }) => partition));
    for (const partition of partitions) this.#leaving.add(partition);
    const handover = this.#finishAndRelease(given, partitions).finally(() => {
      for (const partition of partitions) this.#leaving.delete(partition);
      this.#handovers.delete(handover);
    });
    this.#handovers.add(handover);
  }

  async #finishAndRelease(given: readonly Lease[], partitions: ReadonlySet<number>): Promise<void> {
    const { leases, stage, owner } = this.#options;
    try {
      await this.#worker?.handOver(partitions);
      // Those that another took meanwhile stay his.
      await leases.release(stage, owner, given);
      for (const { partition, epoch } of given) {
        if (this.#held.get(partition) === epoch) this.#held.delete(partition);
      }
      this.#tell('released', given);
    } catch (error) {
      this.#log.warn(
        { event: 'ownership.handover_failed', partitions: [...partitions], err: error },
        'partitions could not be handed over; trying again',
      );
    }
  }

  #tell(change: 'taken' | 'released' | 'lost', leases: readonly Lease[]): void {
    if (leases.length === 0) return;
    const { telemetry, stage } = this.#options;
    telemetry.changes.inc({ stage, change }, leases.length);
    const partitions = leases.map(({ partition }) => partition);
    this.#log.info({ event: 'ownership.changed', change, partitions }, `partitions ${change}`);
  }
}
