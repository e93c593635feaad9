import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { openServerStore } from '../../src/open-store.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { createDatabase, missingServer, SERVER_KINDS } from '../support/database-servers.ts';
import { checkpointStoreConformance, type CheckpointStoreUnderTest } from './checkpoint-store.ts';

async function underTest(
  open: () => Promise<Store>,
  dispose: () => Promise<void>,
): Promise<CheckpointStoreUnderTest> {
  let store = await open();
  return {
    store: store.checkpoints,
    async reopen() {
      await store.close();
      store = await open();
      return store.checkpoints;
    },
    async dispose() {
      await store.close();
      await dispose();
    },
  };
}

checkpointStoreConformance('rows in SQLite', async () => {
  const root = await mkdtemp(join(tmpdir(), 'htmengine-checkpoints-'));
  return await underTest(
    () => openSqliteStore({ path: join(root, 'test.db'), busyTimeoutMs: 1000 }),
    () => rm(root, { recursive: true }),
  );
});

for (const kind of SERVER_KINDS) {
  const missing = await missingServer(kind);
  describe.skipIf(missing !== null)(`the ${kind} server`, () => {
    checkpointStoreConformance(`rows in ${kind}`, async () => {
      const database = await createDatabase(kind);
      return await underTest(
        () => openServerStore(database.url, undefined, { maxConnections: 2, statementTimeoutMs: 10_000 }),
        () => database.drop(),
      );
    });
  });
}
