import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine.ts';
import { baseUrl, request } from '../support/api-client.ts';
import { temporaryDirectory, until } from '../support/engine-process.ts';
import { SmallDisk } from '../support/small-disk.ts';

/** What storage does to a whole engine: it keeps nothing it cannot keep, says so, and goes on by itself. */
const START = 1_700_000_000;
const DISK_BYTES = 24 * 2 ** 20;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let engine: Engine | undefined;
let disk: SmallDisk | null = null;

beforeEach(async () => {
  directory = await temporaryDirectory();
});
afterEach(async () => {
  await engine?.stop();
  engine = undefined;
  disk?.unmount();
  disk = null;
  await directory.remove();
});

async function start(): Promise<Engine> {
  engine = new Engine({
    dataDirectory: directory.path,
    listener: { graphite: { enabled: false } },
    monitoring: { variant: 'tm_cpp' },
    scheduler: { workers: 1 },
    store: { busyTimeoutMs: 100 },
    api: { port: 0 },
    log: { level: 'silent' },
  });
  await engine.start();
  await engine.monitorMetric({ metricSpec: { metric: 'a' }, modelParams: { min: 0, max: 100 } });
  return engine;
}

/** Sends one row. @returns the answer's status and how long to wait */
async function send(running: Engine, rowid: number): Promise<{ status: number; retryAfter: string | null }> {
  const response = await fetch(`${baseUrl(running)}/api/v1/samples`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain' },
    body: `a ${rowid % 100} ${START + rowid * 300}\n`,
  });
  await response.arrayBuffer();
  return { status: response.status, retryAfter: response.headers.get('retry-after') };
}

/** Sends rows until one is not taken. @returns that row, and the answer to it */
async function sendUntilRefused(running: Engine, first: number) {
  for (let rowid = first; rowid < first + 20_000; rowid++) {
    const answer = await send(running, rowid);
    if (answer.status !== 200) return { rowid, answer };
  }
  throw new Error('every row was taken');
}

/** The engine refuses, says so, and after `end` takes the same row and scores all. */
async function expectRecovery(running: Engine, end: () => void): Promise<void> {
  const { rowid, answer } = await sendUntilRefused(running, 1);
  expect(answer).toEqual({ status: 503, retryAfter: '1' });
  expect((await fetch(`${baseUrl(running)}/readyz`)).status).toBe(503);
  expect((await fetch(`${baseUrl(running)}/healthz`)).status).toBe(200);
  const metrics = await (await fetch(`${baseUrl(running)}/metrics`)).text();
  expect(metrics).toMatch(/htmengine_store_unavailable_total\{transaction="T0"\} [1-9]/);
  end();
  await until('the row is taken', async () => (await send(running, rowid)).status === 200);
  expect((await fetch(`${baseUrl(running)}/readyz`)).status).toBe(200);
  await until('all rows are scored', async () => {
    const { body } = await request(running, 'GET', '/api/v1/metrics/a');
    return body['scoredRows'] === rowid;
  });
}

describe('an engine whose storage fails', () => {
  it(
    'refuses rows while its disk is full and goes on when there is room',
    { timeout: 60_000 },
    async (context) => {
      disk = SmallDisk.mount(directory.path, DISK_BYTES);
      if (disk === null) return context.skip('mounting a small disk is not allowed here');
      const running = await start();
      disk.fill(65_536);
      await expectRecovery(running, () => disk?.makeRoom());
    },
  );

  it(
    'refuses rows while another program locks the database and goes on after',
    { timeout: 60_000 },
    async () => {
      const running = await start();
      const file = readdirSync(directory.path).find((name) => name.endsWith('.db')) ?? '';
      const other = new Database(join(directory.path, file));
      other.exec('BEGIN IMMEDIATE');
      await expectRecovery(running, () => {
        other.exec('ROLLBACK');
        other.close();
      }).catch((error: unknown) => {
        other.close();
        throw error;
      });
    },
  );
});
