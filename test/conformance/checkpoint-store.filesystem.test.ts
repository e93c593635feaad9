import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FilesystemCheckpointStore } from '../../src/checkpoints/filesystem/filesystem-checkpoint-store.ts';
import { checkpointStoreConformance } from './checkpoint-store.ts';

checkpointStoreConformance('filesystem', async () => {
  const root = await mkdtemp(join(tmpdir(), 'htmengine-checkpoints-'));
  const directory = join(root, 'checkpoints');
  return {
    store: await FilesystemCheckpointStore.open(directory),
    reopen: async () => await FilesystemCheckpointStore.open(directory),
    dispose: async () => await rm(root, { recursive: true }),
  };
});

describe('filesystem checkpoint store', () => {
  const metricId = '0123456789abcdef0123456789abcdef';
  const name = { metricId, generation: 2, rowid: 300, revision: 1 };
  let root: string;
  let directory: string;
  let store: FilesystemCheckpointStore;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'htmengine-checkpoints-'));
    directory = join(root, 'checkpoints');
    store = await FilesystemCheckpointStore.open(directory);
  });
  afterEach(async () => await rm(root, { recursive: true }));

  it('keeps a checkpoint where its name says, and leaves nothing else', async () => {
    await store.put(name, Uint8Array.of(1, 2, 3));
    const files = await readdir(directory, { recursive: true, withFileTypes: true });
    expect(files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name))).toEqual([
      join(directory, '01', metricId, '2-300-1.ckpt'),
    ]);
  });

  it('removes what interrupted writes left behind when it is opened', async () => {
    await store.put(name, Uint8Array.of(1, 2, 3));
    await writeFile(join(directory, 'scratch', 'half'), 'half a checkpoint');
    await FilesystemCheckpointStore.open(directory);
    expect(await readdir(join(directory, 'scratch'))).toEqual([]);
    expect(await store.list(metricId)).toEqual([name]);
  });

  it('does not take foreign files for checkpoints', async () => {
    await store.put(name, Uint8Array.of(1));
    const beside = join(directory, '01', metricId);
    for (const file of ['notes.txt', '2-300.ckpt', '2-300-1.ckpt.bak', '-1-300-1.ckpt', '2-3e2-1.ckpt']) {
      await writeFile(join(beside, file), 'x');
    }
    expect(await store.list(metricId)).toEqual([name]);
  });

  it('goes on after the whole tree was moved', async () => {
    await store.put(name, Uint8Array.of(5));
    await rename(directory, join(root, 'elsewhere'));
    const moved = await FilesystemCheckpointStore.open(join(root, 'elsewhere'));
    expect(await moved.get(name)).toEqual(Buffer.of(5));
  });

  it('tells faults of the file system as store_unavailable, and works again when they end', async () => {
    await rm(directory, { recursive: true });
    await writeFile(directory, 'a file where the directory was');
    const unavailable = { code: 'store_unavailable' };
    await expect(store.put(name, Uint8Array.of(1))).rejects.toMatchObject(unavailable);
    await expect(store.get(name)).rejects.toMatchObject(unavailable);
    await expect(store.list(metricId)).rejects.toMatchObject(unavailable);
    await expect(store.delete(name)).rejects.toMatchObject(unavailable);
    await expect(FilesystemCheckpointStore.open(directory)).rejects.toMatchObject(unavailable);
    await rm(directory);
    await mkdir(join(directory, 'scratch'), { recursive: true });
    await store.put(name, Uint8Array.of(1));
    expect(await store.list(metricId)).toEqual([name]);
  });

  it('leaves no scratch file after a write that failed', async () => {
    await mkdir(join(directory, '01'));
    await writeFile(join(directory, '01', metricId), 'a file where the metric should have its directory');
    await expect(store.put(name, Uint8Array.of(1))).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(await readdir(join(directory, 'scratch'))).toEqual([]);
  });
});
