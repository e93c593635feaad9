import { setTimeout as delay } from 'node:timers/promises';
import { admin, type TestDatabase } from './database-servers.ts';
import type { OwnServer } from './own-server.ts';

/** How often each thing was done to the server. */
export interface Disturbances {
  connectionsCut: number;
  locksHeld: number;
  restarts: number;
}

/** Makes a database server's life hard while an engine uses it, until `stop`. */
export class Disturber {
  readonly done: Disturbances = { connectionsCut: 0, locksHeld: 0, restarts: 0 };
  readonly #server: OwnServer;
  readonly #database: TestDatabase;
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(server: OwnServer, database: TestDatabase) {
    this.#server = server;
    this.#database = database;
  }

  /** Cuts connections and holds locks every `everyMs`; kills the server itself once, after `restartAfterMs`. */
  start(everyMs: number, restartAfterMs: number): void {
    this.#running = Promise.all([
      this.#repeat(everyMs, () => this.#cutConnections()),
      this.#repeat(everyMs * 1.7, () => this.#holdLocks()),
      delay(restartAfterMs, undefined, { ref: false }).then(() =>
        this.#stopped ? undefined : this.#restart(),
      ),
    ]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #repeat(everyMs: number, disturb: () => Promise<void>): Promise<void> {
    await delay(everyMs);
    while (!this.#stopped) {
      // While the server is being restarted there is nothing to disturb.
      await disturb().catch(() => undefined);
      await delay(everyMs);
    }
  }

  async #cutConnections(): Promise<void> {
    const name = new URL(this.#database.url).pathname.slice(1);
    const { kind, url } = this.#server;
    if (kind === 'postgres') {
      const cut = await admin(
        kind,
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}' and application_name = 'htmengine'`,
        url,
      );
      this.done.connectionsCut += cut.length;
      return;
    }
    const connections = await admin(
      kind,
      `select id from information_schema.processlist where db = '${name}'`,
      url,
    );
    for (const { id } of connections) {
      await admin(kind, `kill ${Number(id)}`, url).then(
        () => this.done.connectionsCut++,
        () => undefined,
      );
    }
  }

  async #holdLocks(): Promise<void> {
    const sleep = this.#server.kind === 'mysql' ? 'sleep(0.7)' : 'pg_sleep(0.7)';
    await this.#database.execute(
      `begin; update metric set poll_interval = poll_interval; select ${sleep}; commit`,
    );
    this.done.locksHeld++;
  }

  async #restart(): Promise<void> {
    await this.#server.kill();
    await delay(1000);
    await this.#server.start();
    this.done.restarts++;
  }
}
