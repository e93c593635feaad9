import { expect, it } from 'vitest';
import { sharedRead } from './shared-read.ts';

/** Readings that end when they are told to. */
function readings() {
  const begun: { resolve: (value: string) => void; reject: (reason: Error) => void }[] = [];
  const read = sharedRead(() => new Promise<string>((resolve, reject) => begun.push({ resolve, reject })));
  return { begun, read };
}

it('reads once for all who ask while another reading runs, after that one', async () => {
  const { begun, read } = readings();
  const first = read();
  const [second, third] = [read(), read()];
  expect(begun).toHaveLength(1);
  begun[0]?.resolve('old');
  expect(await first).toBe('old');
  await Promise.resolve();
  expect(begun).toHaveLength(2);
  begun[1]?.resolve('new');
  expect(await Promise.all([second, third])).toEqual(['new', 'new']);
  void read();
  expect(begun).toHaveLength(3);
});

it('goes on after a reading that failed, which only those are told who shared it', async () => {
  const { begun, read } = readings();
  const first = read();
  const second = read();
  begun[0]?.reject(new Error('away'));
  await expect(first).rejects.toThrow('away');
  await Promise.resolve();
  begun[1]?.resolve('there');
  expect(await second).toBe('there');
});
