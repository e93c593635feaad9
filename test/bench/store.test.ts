import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { describeStores, type StoreBench } from '../../bench/store-report.ts';
import { STORE_KINDS } from '../../bench/store-targets.ts';
import { missingServer, SERVER_KINDS } from '../support/database-servers.ts';
import { temporaryDirectory } from '../support/engine-process.ts';

const run = promisify(execFile);
const script = join(import.meta.dirname, '../../bench/store.ts');
const missing = await Promise.all(SERVER_KINDS.map(missingServer));

describe.runIf(process.platform === 'linux')('bench:store', () => {
  it(
    'takes rows through all transactions, counts what that costs, and leaves nothing behind',
    { timeout: 240_000 },
    async () => {
      const stores = missing.every((one) => one === null) ? STORE_KINDS : (['sqlite'] as const);
      const directory = await temporaryDirectory();
      try {
        const shape = ['--metrics', '4', '--rows', '20', '--seconds', '1', '--in-flight', '1'];
        const options = [...shape, '--stores', ...stores, '--dir', directory.path, '--json'];
        const { stdout } = await run(process.execPath, [script, ...options]);
        const bench = JSON.parse(stdout) as StoreBench;
        expect(bench.command).toContain('--rows 20');
        expect(bench.findings).toHaveLength(stores.length * 2 * 4);
        for (const { store, transaction, metrics, rows, roundTripsPerRow, rowsPerSecond } of bench.findings) {
          expect(rowsPerSecond).toBeGreaterThan(0);
          const transactions = transaction === 'T0' ? 1 : metrics;
          const roundTrips = roundTripsPerRow * metrics * rows;
          if (store === 'sqlite') expect(roundTrips).toBeCloseTo(transactions, 6);
          // It begins, looks, writes and commits at the least.
          else expect(roundTrips).toBeGreaterThanOrEqual(4 * transactions);
        }
        expect(describeStores(bench)).toContain('5 x 20');
        expect(await readdir(directory.path)).toEqual([]);
      } finally {
        await directory.remove();
      }
    },
  );
});
