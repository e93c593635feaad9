import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { S3CheckpointStore } from '../../src/checkpoints/s3/s3-checkpoint-store.ts';
import { openCheckpointObjects } from '../../src/open-store.ts';
import { temporaryDirectory } from '../support/engine-process.ts';
import { checkpointStoreConformance } from './checkpoint-store.ts';

/**
 * s3rver, the server that npm has and Node 24 runs: it speaks the protocol and keeps objects in files, but of signatures
 * of version 4 it checks the key alone. It has no types.
 */
interface S3Server {
  run(): Promise<{ readonly port: number }>;
  close(): Promise<void>;
}
const S3rver = createRequire(import.meta.url)('s3rver') as new (options: {
  readonly port: number;
  readonly address: string;
  readonly silent: boolean;
  readonly directory: string;
  readonly configureBuckets: readonly { readonly name: string }[];
}) => S3Server;

/** Its own. */
const CREDENTIALS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
const BUCKET = 'models';
const NAME = { metricId: 'a'.repeat(32), generation: 1, rowid: 5, revision: 1 };

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let server: S3Server;
let endpoint: string;
beforeAll(async () => {
  directory = await temporaryDirectory();
  server = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory: directory.path,
    configureBuckets: [{ name: BUCKET }],
  });
  endpoint = `http://127.0.0.1:${(await server.run()).port}`;
});
afterAll(async () => {
  await server.close();
  await rm(directory.path, { recursive: true, force: true });
});

const open = (prefix: string, credentials = CREDENTIALS, bucket = BUCKET) =>
  new S3CheckpointStore({ bucket, prefix, endpoint, region: 'us-east-1', credentials });

checkpointStoreConformance('objects of S3', () => {
  const prefix = `${randomUUID()}/`;
  return Promise.resolve({
    store: open(prefix),
    reopen: () => Promise.resolve(open(prefix)),
    dispose: () => Promise.resolve(),
  });
});

describe('S3 checkpoint store', () => {
  it('keeps what is below another prefix apart', async () => {
    await open('one/').put(NAME, Uint8Array.of(1));
    await open('one/two/').put(NAME, Uint8Array.of(2));
    await open('').put(NAME, Uint8Array.of(3));
    for (const [i, prefix] of ['one/', 'one/two/', ''].entries()) {
      expect(await open(prefix).metricIds('', 10)).toEqual([NAME.metricId]);
      expect(Array.from((await open(prefix).get(NAME)) ?? [])).toEqual([i + 1]);
    }
  });

  it('is opened as the settings say', async () => {
    const secretAccessKeyFile = join(directory.path, 'secret');
    await writeFile(secretAccessKeyFile, `${CREDENTIALS.secretAccessKey}\n`);
    const { accessKeyId } = CREDENTIALS;
    const settings = {
      bucket: BUCKET,
      prefix: 'set/',
      endpoint,
      region: 'eu-west-1',
      accessKeyId,
      secretAccessKeyFile,
    };
    await (await openCheckpointObjects(settings)).put(NAME, Uint8Array.of(9));
    expect(await open('set/').list(NAME.metricId)).toEqual([NAME]);
    const wrong = [{ bucket: '' }, { accessKeyId: '' }, { secretAccessKeyFile: '' }];
    for (const one of wrong)
      await expect(openCheckpointObjects({ ...settings, ...one })).rejects.toMatchObject({
        code: 'config_invalid',
      });
  });

  it('finds metrics behind a page of what is none of ours', async () => {
    for (const foreign of ['0-a/', '0-b/', '0-c/']) await open(`many/${foreign}`).put(NAME, Uint8Array.of(1));
    await open('many/').put(NAME, Uint8Array.of(1));
    expect(await open('many/').metricIds('', 2)).toEqual([NAME.metricId]);
  });

  it('tells what goes wrong as a fault that may pass, without the secret', async () => {
    const stranger = { accessKeyId: 'stranger', secretAccessKey: 'wrong secret' };
    for (const store of [open('', stranger), open('', CREDENTIALS, 'nowhere')]) {
      const error: unknown = await store.put(NAME, Uint8Array.of(1)).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'store_unavailable' });
      expect(String(error) + JSON.stringify(error)).not.toContain('wrong secret');
    }
  });
});
