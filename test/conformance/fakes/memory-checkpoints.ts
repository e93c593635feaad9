import type { CheckpointName, CheckpointStore } from '../../../src/checkpoints/checkpoint-store.ts';

/** Checkpoints in memory. */
export class MemoryCheckpoints implements CheckpointStore {
  readonly #kept = new Map<string, { name: CheckpointName; bytes: Uint8Array }>();

  async put(name: CheckpointName, bytes: Uint8Array): Promise<void> {
    await Promise.resolve();
    if (!this.#kept.has(key(name))) this.#kept.set(key(name), { name: { ...name }, bytes: bytes.slice() });
  }

  async list(metricId: string): Promise<CheckpointName[]> {
    await Promise.resolve();
    return Array.from(this.#kept.values())
      .map(({ name }) => name)
      .filter((name) => name.metricId === metricId)
      .sort((a, b) => b.generation - a.generation || b.rowid - a.rowid);
  }

  async get(name: CheckpointName): Promise<Uint8Array | null> {
    await Promise.resolve();
    return this.#kept.get(key(name))?.bytes.slice() ?? null;
  }

  async delete(name: CheckpointName): Promise<void> {
    await Promise.resolve();
    this.#kept.delete(key(name));
  }

  async deleteAll(metricId: string): Promise<void> {
    for (const name of await this.list(metricId)) await this.delete(name);
  }

  async size(metricId: string): Promise<number> {
    let bytes = 0;
    for (const name of await this.list(metricId)) bytes += (await this.get(name))?.byteLength ?? 0;
    return bytes;
  }

  async metricIds(afterMetricId: string, limit: number): Promise<string[]> {
    await Promise.resolve();
    const ids = new Set(Array.from(this.#kept.values(), ({ name }) => name.metricId));
    return [...ids]
      .filter((id) => id > afterMetricId)
      .sort()
      .slice(0, limit);
  }

  /** Flips one bit of a kept checkpoint. */
  damage(name: CheckpointName, at: number): void {
    const bytes = this.#kept.get(key(name))?.bytes;
    if (bytes === undefined) throw new Error('no such checkpoint');
    bytes[at] = (bytes[at] ?? 0) ^ 1;
  }
}

function key(name: CheckpointName): string {
  return [name.metricId, name.generation, name.rowid, name.revision].join('/');
}
