import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { listCheckpointFiles } from './checkpoints/filesystem/listing.ts';
import { DiskWatch } from './disk-watch.ts';

const METRIC = 'a'.repeat(32);
let dataDirectory: string;
let watch: DiskWatch | undefined;

beforeEach(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), 'htmengine-disk-'));
  await mkdir(join(dataDirectory, 'checkpoints/aa', METRIC), { recursive: true });
});
afterEach(async () => {
  await watch?.stop();
  await rm(dataDirectory, { recursive: true });
});

function startWatch(budgetBytes: number) {
  const registry = new Registry();
  const events: string[] = [];
  const log = pino(
    {},
    { write: (line: string) => events.push((JSON.parse(line) as { event: string }).event) },
  );
  watch = new DiskWatch({
    dataDirectory,
    databaseFile: join(dataDirectory, 'engine.db'),
    checkpointFiles: () => listCheckpointFiles(dataDirectory),
    budgetBytes,
    intervalMs: 5,
    telemetry: { log, registry },
  });
  watch.start();
  return { watch, registry, events };
}

function save(rowid: number, bytes: number): Promise<void> {
  return writeFile(join(dataDirectory, 'checkpoints/aa', METRIC, `1-${rowid}-1.ckpt`), Buffer.alloc(bytes));
}

it('counts the database with its log, and saved models', async () => {
  await writeFile(join(dataDirectory, 'engine.db'), Buffer.alloc(1000));
  await writeFile(join(dataDirectory, 'engine.db-wal'), Buffer.alloc(200));
  await save(1, 30);
  await save(2, 4);
  const { watch, registry } = startWatch(0);
  await vi.waitFor(() => expect(watch.usage).not.toBeNull());
  expect(watch.usage).toMatchObject({ databaseBytes: 1200, checkpointBytes: 34 });
  expect(watch.usage?.freeBytes).toBeGreaterThan(0);
  const text = await registry.metrics();
  expect(text).toContain('htmengine_disk_bytes{kind="database"} 1200');
  expect(text).toContain('htmengine_disk_bytes{kind="checkpoints"} 34');
  expect(text).toMatch(/^htmengine_disk_free_bytes \d+/m);
});

it('says once when the budget is passed and once when it is kept again', async () => {
  const { events, watch } = startWatch(100);
  await vi.waitFor(() => expect(watch.usage?.checkpointBytes).toBe(0));
  expect(events).toEqual([]);
  await save(1, 101);
  await vi.waitFor(() => expect(events).toEqual(['disk.budget_exceeded']));
  await save(2, 1);
  await vi.waitFor(() => expect(watch.usage?.checkpointBytes).toBe(102));
  await rm(join(dataDirectory, 'checkpoints/aa', METRIC, '1-1-1.ckpt'));
  await vi.waitFor(() => expect(events).toEqual(['disk.budget_exceeded', 'disk.budget_kept']));
});

it('exactly the budget is within it', async () => {
  await save(1, 100);
  const { events, watch } = startWatch(100);
  await vi.waitFor(() => expect(watch.usage?.checkpointBytes).toBe(100));
  expect(events).toEqual([]);
});

it('goes on after it could not look', async () => {
  await rm(dataDirectory, { recursive: true });
  const { events, watch } = startWatch(100);
  await vi.waitFor(() => expect(events).toContain('disk.unreadable'));
  expect(watch.usage).toBeNull();
  await mkdir(join(dataDirectory, 'checkpoints/aa', METRIC), { recursive: true });
  await save(1, 3);
  await vi.waitFor(() => expect(watch.usage?.checkpointBytes).toBe(3));
});
