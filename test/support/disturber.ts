import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { admin, type ServerKind, type TestDatabase } from './database-servers.ts';

const execute = promisify(execFile);

/** How often each thing was done to the server. */
export interface Disturbances {
  connectionsCut: number;
  locksHeld: number;
  restarts: number;
}

/** Makes a database server's life hard while an engine uses it, until `stop`. */
export class Disturber {
  readonly done: Disturbances = { connectionsCut: 0, locksHeld: 0, restarts: 0 };
  readonly #kind: ServerKind;
  readonly #database: TestDatabase;
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(kind: ServerKind, database: TestDatabase) {
    this.#kind = kind;
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
    if (this.#kind === 'postgres') {
      const cut = await admin(
        'postgres',
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}' and application_name = 'htmengine'`,
      );
      this.done.connectionsCut += cut.length;
      return;
    }
    const connections = await admin(
      'mysql',
      `select id from information_schema.processlist where db = '${name}'`,
    );
    for (const { id } of connections) {
      await admin('mysql', `kill ${Number(id)}`).then(
        () => this.done.connectionsCut++,
        () => undefined,
      );
    }
  }

  async #holdLocks(): Promise<void> {
    const sleep = this.#kind === 'mysql' ? 'sleep(0.7)' : 'pg_sleep(0.7)';
    await this.#database.execute(
      `begin; update metric set poll_interval = poll_interval; select ${sleep}; commit`,
    );
    this.done.locksHeld++;
  }

  async #restart(): Promise<void> {
    if (this.#kind === 'mysql') {
      await execute('pkill', ['-KILL', '-x', 'mariadbd']);
      await delay(1000);
      await execute('start-stop-daemon', [
        '--start',
        '--oknodo',
        '--background',
        '--exec',
        '/usr/sbin/mariadbd',
      ]);
    } else {
      const { stdout } = await execute('ls', ['/etc/postgresql']);
      const version = stdout.trim().split('\n')[0] ?? '';
      await execute('pg_ctlcluster', [
        '--skip-systemctl-redirect',
        '-m',
        'immediate',
        version,
        'main',
        'stop',
      ]);
      await delay(1000);
      await execute('pg_ctlcluster', ['--skip-systemctl-redirect', version, 'main', 'start']);
    }
    for (;;) {
      try {
        await admin(this.#kind, 'select 1');
        break;
      } catch {
        await delay(200);
      }
    }
    this.done.restarts++;
  }
}
