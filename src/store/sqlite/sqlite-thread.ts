import { parentPort, workerData } from 'node:worker_threads';
import { sqlStore } from '../sql/store.ts';
import { openDatabase, type SqliteOptions } from './database.ts';
import { sqliteDialect } from './dialect.ts';
import { GroupCommitSession } from './group-commit.ts';
import { buffersOf, OPENED, sendError, type Reply, type Request } from './protocol.ts';

/** The thread that owns the database: SQLite's calls block, and the engine's main thread must not. */

type Method = (...args: readonly unknown[]) => Promise<unknown>;

if (parentPort === null) throw new Error('this file runs in a worker thread only');
const port = parentPort;

function reply(message: Reply): void {
  port.postMessage(message, message.error === undefined ? buffersOf(message.value) : []);
}

async function serve(): Promise<void> {
  const { connection, db } = await openDatabase(workerData as SqliteOptions);
  const session = new GroupCommitSession(connection, db);
  const store = await sqlStore(session, sqliteDialect(connection));

  async function close(): Promise<void> {
    await session.idle();
    connection.close();
  }

  function call({ area, method, args }: Request): Promise<unknown> {
    if (area === 'store') return method === 'ping' ? store.ping() : close();
    const methods = store[area] as unknown as Readonly<Record<string, Method>>;
    const called = methods[method]?.(...args);
    if (called === undefined) throw new TypeError(`the store has no method ${area}.${method}`);
    return called;
  }

  port.on('message', (request: Request) => {
    const { id } = request;
    void call(request)
      .then(
        (value) => reply({ id, value }),
        (error: unknown) => reply({ id, error: sendError(error) }),
      )
      .finally(() => {
        if (request.method === 'close') port.close();
      });
  });
  reply({ id: OPENED, value: undefined });
}

await serve().catch((error: unknown) => reply({ id: OPENED, error: sendError(error) }));
