import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CheckpointName, CheckpointStore } from '../../src/checkpoints/checkpoint-store.ts';

/** A store made for one test, and the ways to look at what it keeps. */
export interface CheckpointStoreUnderTest {
  readonly store: CheckpointStore;
  /** The same checkpoints through a store opened anew, as after a restart. */
  reopen(): Promise<CheckpointStore>;
  dispose(): Promise<void>;
}

const A = 'a0000000000000000000000000000001';
const B = 'a0000000000000000000000000000002';

function name(metricId: string, generation: number, rowid: number, revision = 1): CheckpointName {
  return { metricId, generation, rowid, revision };
}

function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 17) & 255);
}

function hex(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('hex');
}

/** What every checkpoint store must do. */
export function checkpointStoreConformance(
  adapter: string,
  makeStore: () => Promise<CheckpointStoreUnderTest>,
): void {
  describe(`checkpoint store: ${adapter}`, () => {
    let under: CheckpointStoreUnderTest;
    let store: CheckpointStore;
    beforeEach(async () => {
      under = await makeStore();
      store = under.store;
    });
    afterEach(async () => await under.dispose());

    it('knows nothing about a metric without checkpoints', async () => {
      expect(await store.list(A)).toEqual([]);
      expect(await store.get(name(A, 1, 0))).toBeNull();
      expect(await store.size(A)).toBe(0);
    });

    it('gives back the bytes it was given, now and after reopening', async () => {
      const bytes = pattern(100_000, 1);
      await store.put(name(A, 1, 200), bytes);
      expect(hex(await store.get(name(A, 1, 200)))).toBe(hex(bytes));
      const reopened = await under.reopen();
      expect(await reopened.list(A)).toEqual([name(A, 1, 200)]);
      expect(hex(await reopened.get(name(A, 1, 200)))).toBe(hex(bytes));
    });

    it('keeps what it was given when the caller goes on using the buffer', async () => {
      const bytes = pattern(50, 2);
      await store.put(name(A, 1, 1), bytes);
      bytes.fill(0);
      const kept = await store.get(name(A, 1, 1));
      expect(hex(kept)).toBe(hex(pattern(50, 2)));
      kept?.fill(9);
      expect(hex(await store.get(name(A, 1, 1)))).toBe(hex(pattern(50, 2)));
    });

    it('lists the highest generation first, then the highest rowid', async () => {
      // As texts 1000 sorts before 200 and 10 before 9.
      const names = [name(A, 9, 200), name(A, 10, 5), name(A, 9, 1000), name(A, 10, 0), name(A, 9, 30)];
      for (const one of names) await store.put(one, pattern(10, one.rowid));
      expect(await store.list(A)).toEqual([
        name(A, 10, 5),
        name(A, 10, 0),
        name(A, 9, 1000),
        name(A, 9, 200),
        name(A, 9, 30),
      ]);
    });

    it('tells checkpoints of different revisions apart', async () => {
      await store.put(name(A, 1, 7, 1), pattern(10, 1));
      await store.put(name(A, 1, 7, 2), pattern(10, 2));
      expect(new Set((await store.list(A)).map(({ revision }) => revision))).toEqual(new Set([1, 2]));
      expect(hex(await store.get(name(A, 1, 7, 2)))).toBe(hex(pattern(10, 2)));
      await store.delete(name(A, 1, 7, 2));
      expect(await store.list(A)).toEqual([name(A, 1, 7, 1)]);
    });

    it('keeps the first bytes of a name', async () => {
      await store.put(name(A, 1, 7), pattern(10, 1));
      await store.put(name(A, 1, 7), pattern(20, 2));
      expect(hex(await store.get(name(A, 1, 7)))).toBe(hex(pattern(10, 1)));
      expect(await store.size(A)).toBe(10);
    });

    it('takes the largest numbers there are', async () => {
      const largest = name(A, 2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1);
      await store.put(largest, pattern(3, 3));
      expect(await store.list(A)).toEqual([largest]);
    });

    it('deletes one, and minds nothing that is not there', async () => {
      await store.put(name(A, 1, 1), pattern(10, 1));
      await store.put(name(A, 1, 2), pattern(10, 2));
      await store.delete(name(A, 1, 1));
      await store.delete(name(A, 1, 1));
      await store.delete(name(B, 1, 1));
      expect(await store.list(A)).toEqual([name(A, 1, 2)]);
      expect(await store.get(name(A, 1, 1))).toBeNull();
    });

    it('deletes all of one metric and none of another', async () => {
      await store.put(name(A, 1, 1), pattern(10, 1));
      await store.put(name(A, 2, 5), pattern(10, 2));
      await store.put(name(B, 1, 1), pattern(10, 3));
      await store.deleteAll(A);
      await store.deleteAll(A);
      expect(await store.list(A)).toEqual([]);
      expect(await store.size(A)).toBe(0);
      expect(await store.list(B)).toEqual([name(B, 1, 1)]);
      await store.put(name(A, 3, 9), pattern(10, 4));
      expect(await (await under.reopen()).list(A)).toEqual([name(A, 3, 9)]);
    });

    it('sums the bytes kept for a metric', async () => {
      await store.put(name(A, 1, 1), pattern(100, 1));
      await store.put(name(A, 1, 2), pattern(1000, 2));
      await store.put(name(B, 1, 1), pattern(7, 3));
      expect(await store.size(A)).toBe(1100);
      expect(await store.size(B)).toBe(7);
    });

    it('tells which metrics have any, page by page', async () => {
      const metrics = ['0c', '0f', 'a0', 'a1'].map((begin) => `${begin}${A.slice(2)}`);
      for (const metricId of [...metrics].reverse()) await store.put(name(metricId, 1, 1), pattern(10, 1));
      await store.put(name(metrics[1] ?? '', 2, 9), pattern(10, 1));
      expect(await store.metricIds('', 2)).toEqual(metrics.slice(0, 2));
      expect(await store.metricIds(metrics[1] ?? '', 10)).toEqual(metrics.slice(2));
      await store.delete(name(metrics[2] ?? '', 1, 1));
      await store.deleteAll(metrics[0] ?? '');
      expect(await store.metricIds('', 10)).toEqual([metrics[1], metrics[3]]);
      expect(await store.metricIds(metrics[3] ?? '', 10)).toEqual([]);
    });

    it('takes many writes at the same time, of one metric and of several', async () => {
      const metrics = Array.from({ length: 8 }, (_, i) => `${i.toString(16).repeat(2)}${A.slice(2)}`);
      const names = metrics.flatMap((metricId) => [1, 2, 3].map((rowid) => name(metricId, 1, rowid)));
      await Promise.all(names.map(async (one, i) => await store.put(one, pattern(500 + i, i))));
      for (const [i, one] of names.entries()) {
        expect(hex(await store.get(one))).toBe(hex(pattern(500 + i, i)));
      }
    });

    it('keeps an empty one', async () => {
      await store.put(name(A, 1, 1), new Uint8Array());
      expect(await store.get(name(A, 1, 1))).toHaveLength(0);
    });

    it('refuses ids and numbers that no metric has, as mistakes of the caller', async () => {
      const ids = [
        '',
        '..',
        '../../etc/passwd',
        `${A}/..`,
        A.toUpperCase(),
        A.slice(1),
        `${A}0`,
        `${A.slice(1)}\0`,
      ];
      for (const metricId of ids) {
        await expect(store.put(name(metricId, 1, 1), pattern(1, 1))).rejects.toThrow(TypeError);
        await expect(store.get(name(metricId, 1, 1))).rejects.toThrow(TypeError);
        await expect(store.delete(name(metricId, 1, 1))).rejects.toThrow(TypeError);
        await expect(store.list(metricId)).rejects.toThrow(TypeError);
        await expect(store.size(metricId)).rejects.toThrow(TypeError);
        await expect(store.deleteAll(metricId)).rejects.toThrow(TypeError);
      }
      for (const rowid of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32]) {
        await expect(store.put(name(A, 1, rowid), pattern(1, 1))).rejects.toThrow(RangeError);
      }
    });
  });
}
