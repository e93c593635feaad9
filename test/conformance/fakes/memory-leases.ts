import { HtmEngineError } from '../../../src/errors.ts';
import type { Lease, Leases, Stage, StageLeases } from '../../../src/store/leases.ts';

/** Leases of one stage in memory, with a clock that a test moves. */
export class MemoryLeases implements Leases {
  nowMs = 0;
  /** Owners that cannot reach the store. */
  readonly cutOff = new Set<string>();
  readonly #owners: (string | null)[];
  readonly #epochs: number[];
  readonly #expiresAtMs = new Map<string, number>();

  constructor(partitions: number) {
    this.#owners = Array.from({ length: partitions }, () => null);
    this.#epochs = Array.from({ length: partitions }, () => 1);
  }

  /** One letter a partition: the first of its owner's name, `.` for nobody. */
  get owners(): string {
    return this.#owners.map((owner) => owner?.[0] ?? '.').join('');
  }

  async checkServable(): Promise<void> {
    await Promise.resolve();
  }

  async renew(_stage: Stage, owner: string, ttlMs: number): Promise<StageLeases> {
    await this.#reach(owner);
    this.#expiresAtMs.set(owner, this.nowMs + ttlMs);
    return this.look();
  }

  look(): Promise<StageLeases> {
    const living = [...this.#expiresAtMs].filter(([, expiresAtMs]) => expiresAtMs > this.nowMs);
    return Promise.resolve({
      members: living.map(([member]) => member).sort(),
      leases: this.#owners.map((held, partition) => ({
        partition,
        epoch: this.#epochs[partition] ?? 0,
        owner: held,
      })),
    });
  }

  async acquire(_stage: Stage, owner: string, wanted: readonly Lease[]): Promise<Lease[]> {
    await this.#reach(owner);
    return wanted.flatMap(({ partition, epoch }) => {
      if (this.#epochs[partition] !== epoch) return [];
      this.#change(partition, owner);
      return [{ partition, epoch: epoch + 1 }];
    });
  }

  async release(_stage: Stage, owner: string, leases: readonly Lease[]): Promise<void> {
    await this.#reach(owner);
    for (const { partition, epoch } of leases) {
      if (this.#owners[partition] === owner && this.#epochs[partition] === epoch)
        this.#change(partition, null);
    }
  }

  async leave(_stage: Stage, owner: string): Promise<void> {
    await this.#reach(owner);
    this.#owners.forEach((held, partition) => {
      if (held === owner) this.#change(partition, null);
    });
    this.#expiresAtMs.delete(owner);
  }

  #change(partition: number, owner: string | null): void {
    this.#owners[partition] = owner;
    this.#epochs[partition] = (this.#epochs[partition] ?? 0) + 1;
  }

  async #reach(owner: string): Promise<void> {
    await Promise.resolve();
    if (this.cutOff.has(owner)) throw new HtmEngineError('store_unavailable', `${owner} is cut off`);
  }
}
