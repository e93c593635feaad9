import fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { givenLine } from './given-values.ts';
import { batched, linesOf } from './lines.ts';

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function* cut(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const size of [...sizes, bytes.length]) {
    yield await Promise.resolve(bytes.subarray(from, from + size));
    from += size;
  }
}

describe('lines of a stream', () => {
  it('are the same however the bytes are cut', async () => {
    const lines = fc.array(
      fc.string({ unit: 'grapheme' }).filter((line) => !line.includes('\n') && line !== ''),
    );
    await fc.assert(
      fc.asyncProperty(lines, fc.array(fc.nat(5), { maxLength: 20 }), async (expected, sizes) => {
        const bytes = new TextEncoder().encode(expected.map((line) => `${line}\n`).join(''));
        expect(await collect(linesOf(cut(bytes, sizes)))).toEqual(
          expected.map((line) => line.toWellFormed()),
        );
      }),
    );
  });

  it('a last one without an end counts, one without bound does not', async () => {
    expect(await collect(linesOf(cut(Buffer.from('a\nb'), [])))).toEqual(['a', 'b']);
    await expect(collect(linesOf(cut(Buffer.alloc(100_000, 'x'), [])))).rejects.toThrow('longer than');
  });
});

describe('batches', () => {
  async function* slowly() {
    yield* [1, 2, 3];
    await sleep(300);
    yield 4;
  }

  it('hold as many as allowed, and nothing back while more is awaited', async () => {
    expect(await collect(batched(slowly(), 2, 50))).toEqual([[1, 2], [3], [4]]);
    expect(await collect(batched(slowly(), 10, 5000))).toEqual([[1, 2, 3, 4]]);
  });

  it('pass a failure on after what came before it', async () => {
    const seen: number[][] = [];
    async function* failing() {
      yield await Promise.resolve(1);
      throw new Error('the disk is gone');
    }
    const read = async () => {
      for await (const batch of batched(failing(), 1, 50)) seen.push(batch);
    };
    await expect(read()).rejects.toThrow('the disk is gone');
    expect(seen).toEqual([[1]]);
  });
});

describe('a line', () => {
  it.each([
    ['a 1', undefined, { sample: { name: 'a', value: 1 } }],
    [
      '  a\t-1.5e3  1600000000.9 ',
      undefined,
      { sample: { name: 'a', value: -1500, timestamp: 1_600_000_000 } },
    ],
    ['a 1 2020-09-13 12:26:40', undefined, { sample: { name: 'a', value: 1, timestamp: 1_600_000_000 } }],
    ['7 1600000000', 'my metric', { sample: { name: 'my metric', value: 7, timestamp: 1_600_000_000 } }],
    ['   ', undefined, null],
  ])('%j with metric %j', (line, metric, expected) => {
    expect(givenLine(line, metric)).toEqual(expected);
  });

  it.each(['a', 'a x', 'a 1 yesterday', 'a NaN', 'a 1 1600000000000', `${'n'.repeat(256)} 1`])(
    '%j is told to be wrong',
    (line) => {
      expect(givenLine(line)?.wrong).toEqual(expect.any(String));
    },
  );
});
