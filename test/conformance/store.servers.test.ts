import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openServerStore } from '../../src/open-store.ts';
import type { MetricSamples } from '../../src/store/log.ts';
import type { Store } from '../../src/store/store.ts';
import {
  createDatabase,
  missingServer,
  SERVER_KINDS,
  type TestDatabase,
} from '../support/database-servers.ts';
import { notInMysql80 } from '../support/mysql-80.ts';
import { StatementTap } from '../support/statement-tap.ts';
import { storeConformance, type StoreUnderTest } from './store.ts';

const OPTIONS = { maxConnections: 8, statementTimeoutMs: 10_000 };
/** Everything but what belongs to the installation; rows and generations go with their metrics. */
const EMPTY =
  'delete from metric; delete from outbox; update lease set epoch = 0, owner = null; delete from member;';

async function appendInProcessThatIsKilled(url: string, batches: readonly MetricSamples[]): Promise<void> {
  const script = join(import.meta.dirname, 'store/append-and-wait.server.ts');
  const child = spawn(process.execPath, [script, url, JSON.stringify(batches)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [said] = (await Promise.race([once(child.stdout, 'data'), exited])) as unknown[];
  expect(String(said)).toBe('acknowledged\n');
  child.kill('SIGKILL');
  expect(await exited).toEqual([null, 'SIGKILL']);
}

for (const kind of SERVER_KINDS) {
  const missing = await missingServer(kind);
  describe.skipIf(missing !== null)(`the ${kind} store`, () => {
    let database: TestDatabase;
    let store: Store;
    let tap: StatementTap | undefined;
    let url: string;
    const open = () => openServerStore(url, undefined, OPTIONS);
    beforeAll(async () => {
      database = await createDatabase(kind);
      ({ url } = database);
      if (kind === 'mysql') ({ tap, url } = await StatementTap.start(kind, url));
      store = await open();
    });
    afterAll(async () => {
      await store.close();
      await tap?.stop();
      await database.drop();
    });

    storeConformance(kind, async (): Promise<StoreUnderTest> => {
      await database.execute(EMPTY);
      return {
        store,
        async reopen() {
          await store.close();
          store = await open();
          return store;
        },
        execute: async (statement) => {
          await database.execute(statement);
        },
        select: (statement) => database.execute(statement),
        appendAndBeKilled: (batches) => appendInProcessThatIsKilled(database.url, batches),
        dispose: () => Promise.resolve(),
      };
    });

    // After all others: it judges every statement that they made the store send.
    it.runIf(kind === 'mysql')('has sent nothing that MySQL 8.0 lacks', () => {
      const sent = [...(tap?.statements.keys() ?? [])];
      process.stdout.write(`${sent.length} kinds of statements were sent to MariaDB.\n`);
      expect(sent.length).toBeGreaterThan(0);
      expect(sent.filter((statement) => notInMysql80(statement) !== null)).toEqual([]);
    });
  });
}
