import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, copyFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { admin, notRun, type ServerKind } from './database-servers.ts';
import { freePort } from './free-ports.ts';

const execute = promisify(execFile);
const START_TIMEOUT_MS = 300_000;

/** Files (PEM) with which a server proves who it is. */
export interface ServerIdentity {
  readonly certificate: string;
  readonly key: string;
}

/**
 * A database server that belongs to a test alone, in a temporary directory on a free port of this machine: it may be
 * killed, and started with other settings, without harm to anybody.
 */
export class OwnServer {
  readonly kind: ServerKind;
  readonly directory: string;
  readonly port: number;
  readonly #account: Account;
  #process: ChildProcess | undefined;

  private constructor(kind: ServerKind, directory: string, port: number, account: Account) {
    this.kind = kind;
    this.directory = directory;
    this.port = port;
    this.#account = account;
  }

  /** Makes an empty installation. It does not run yet. */
  static async create(kind: ServerKind): Promise<OwnServer> {
    const account = await accountFor(kind);
    const directory = await mkdtemp(join(tmpdir(), 'htmengine-server-'));
    if (account.uid !== undefined) await chown(directory, account.uid, account.gid ?? account.uid);
    const server = new OwnServer(kind, directory, await freePort(), account);
    const data = server.#data;
    if (kind === 'mysql') {
      await execute('mariadb-install-db', [
        '--no-defaults',
        `--datadir=${data}`,
        `--user=${userInfo().username}`,
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
      ]);
    } else {
      const options = ['-D', data, '-U', 'root', '-A', 'trust', '-E', 'UTF8', '--no-sync'];
      await execute(await postgresProgram('initdb'), options, account);
    }
    return server;
  }

  /** Of its administrator, who needs no password. */
  get url(): string {
    return `${this.kind}://root@127.0.0.1:${this.port}/${this.kind === 'postgres' ? 'postgres' : ''}`;
  }

  /** Of its first process. @throws while it does not run */
  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error('the server does not run');
    return pid;
  }

  get #data(): string {
    return join(this.directory, 'data');
  }

  /** Starts it and resolves once it answers. With an identity it speaks TLS, and only TLS. */
  async start(identity?: ServerIdentity): Promise<void> {
    if (this.kind === 'postgres') await this.#allow(identity === undefined ? 'host' : 'hostssl');
    const own = identity && (await this.#take(identity));
    const [program, args] =
      this.kind === 'mysql'
        ? ['mariadbd', this.#mysqlArguments(own)]
        : [await postgresProgram('postgres'), this.#postgresArguments(own)];
    const child = spawn(program, args, { ...this.#account, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = child;
    const endWithUs = () => child.kill('SIGKILL');
    process.once('exit', endWithUs);
    child.once('exit', () => process.off('exit', endWithUs));
    let said = '';
    child.stderr.on('data', (bytes: Buffer) => (said = (said + bytes.toString()).slice(-4000)));
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!(await this.#answers())) {
      if (child.exitCode !== null || Date.now() > deadline)
        throw new Error(`${program} did not start: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Adds a user with a password and a database of the same name that is the user's. */
  async createUser(name: string, password: string): Promise<void> {
    const statements =
      this.kind === 'mysql'
        ? [
            `create user ${name}@localhost identified by '${password}'`,
            `create database ${name}`,
            `grant all on ${name}.* to ${name}@localhost`,
          ]
        : [`create user ${name} password '${password}'`, `create database ${name} owner ${name}`];
    for (const statement of statements) await admin(this.kind, statement, this.url);
  }

  /** Ends it as an administrator does. */
  async stop(): Promise<void> {
    await this.#end(this.kind === 'postgres' ? 'SIGINT' : 'SIGTERM');
  }

  /** Ends it without giving it time to finish anything. */
  async kill(): Promise<void> {
    // A killed postmaster would leave its children behind; this signal makes all of them exit at once, as in a crash.
    await this.#end(this.kind === 'postgres' ? 'SIGQUIT' : 'SIGKILL');
  }

  /** Ends it and removes what it kept. */
  async remove(): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true, maxRetries: 3 });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  /** Copies the files to where its user may read them. */
  async #take(identity: ServerIdentity): Promise<ServerIdentity> {
    const own = {
      certificate: join(this.directory, 'server.crt'),
      key: join(this.directory, 'server.key'),
    };
    await copyFile(identity.certificate, own.certificate);
    await copyFile(identity.key, own.key);
    const { uid, gid } = this.#account;
    if (uid !== undefined) await chown(own.key, uid, gid ?? uid);
    return own;
  }

  /** It is asked without TLS over its socket file, which it always allows. */
  async #answers(): Promise<boolean> {
    const url = new URL(this.url);
    if (this.kind === 'mysql') url.searchParams.set('socketPath', this.#socket);
    else url.searchParams.set('host', this.directory);
    return admin(this.kind, 'select 1', url.href).then(
      () => true,
      () => false,
    );
  }

  get #socket(): string {
    return join(this.directory, 'mysql.sock');
  }

  #mysqlArguments(identity: ServerIdentity | undefined): string[] {
    return [
      '--no-defaults',
      `--user=${userInfo().username}`,
      `--datadir=${this.#data}`,
      `--port=${this.port}`,
      '--bind-address=127.0.0.1',
      `--socket=${this.#socket}`,
      ...(identity === undefined
        ? []
        : [
            '--require-secure-transport=ON',
            `--ssl-cert=${identity.certificate}`,
            `--ssl-key=${identity.key}`,
          ]),
    ];
  }

  #postgresArguments(identity: ServerIdentity | undefined): string[] {
    const settings = {
      port: String(this.port),
      listen_addresses: '127.0.0.1',
      unix_socket_directories: this.directory,
      ...(identity !== undefined && {
        ssl: 'on',
        ssl_cert_file: identity.certificate,
        ssl_key_file: identity.key,
      }),
    };
    return [
      '-D',
      this.#data,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ];
  }

  /** Anybody without a password, but for the user `htm`. */
  async #allow(over: 'host' | 'hostssl'): Promise<void> {
    const rules = [
      'local all all trust',
      `${over} all htm 127.0.0.1/32 scram-sha-256`,
      `${over} all all 127.0.0.1/32 trust`,
    ];
    await writeFile(join(this.#data, 'pg_hba.conf'), `${rules.join('\n')}\n`);
  }
}

/**
 * Why `OwnServer` cannot run here, or null if it can.
 * @throws where its tests must not be left out (HTMENGINE_REQUIRE_SERVICES)
 */
export async function missingServerPrograms(kind: ServerKind): Promise<string | null> {
  try {
    await execute('openssl', ['version']);
    if (kind === 'mysql') await execute('mariadbd', ['--version']);
    else await execute(await postgresProgram('initdb'), ['--version']);
    return null;
  } catch (error) {
    return notRun(`the ${kind} server over TLS`, error);
  }
}

/** Who the server's processes run as; empty for whoever runs the test. */
interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

/** PostgreSQL refuses to run as root: its own user stands in. */
async function accountFor(kind: ServerKind): Promise<Account> {
  if (kind === 'mysql' || userInfo().uid !== 0) return {};
  const idOf = async (which: string) => Number((await execute('id', [which, 'postgres'])).stdout);
  return { uid: await idOf('-u'), gid: await idOf('-g') };
}

/** Debian keeps PostgreSQL's programs out of the path. */
async function postgresProgram(name: string): Promise<string> {
  const versions = existsSync('/usr/lib/postgresql') ? await readdir('/usr/lib/postgresql') : [];
  const newest = versions.map(Number).sort((a, b) => b - a)[0];
  return newest === undefined ? name : `/usr/lib/postgresql/${newest}/bin/${name}`;
}
