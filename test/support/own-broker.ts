import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { Connection } from 'rabbitmq-client';
import { freePorts } from './free-ports.ts';
import type { ServerIdentity } from './own-server.ts';

const run = promisify(execFile);
const BIN = '/usr/lib/rabbitmq/bin';
/** A node starts in seconds, and on a machine that many want in minutes. */
const START_TIMEOUT_MS = 600_000;

/** Why tests cannot start a broker of their own, or null if they can. @throws where they must (HTMENGINE_REQUIRE_SERVICES) */
export function missingOwnBroker(): string | null {
  if (existsSync(join(BIN, 'rabbitmq-server'))) return null;
  const reason = `there is no ${BIN}/rabbitmq-server`;
  if (process.env.HTMENGINE_REQUIRE_SERVICES === '1') throw new Error(reason);
  process.stderr.write(`NOT RUN: tests that restart RabbitMQ: ${reason}. Install rabbitmq-server.\n`);
  return reason;
}

/** A broker that speaks TLS only, and only with clients that the authority knows. */
export interface BrokerTls {
  readonly identity: ServerIdentity;
  /** The certificate (PEM) of who signs. */
  readonly authority: string;
  /** With which this process asks whether it is there. */
  readonly client: ServerIdentity;
}

export interface OwnBrokerOptions {
  readonly tls?: BrokerTls;
  /** Of RabbitMQ's own, `rabbitmq_management` for instance. */
  readonly plugins?: readonly string[];
}

type Ports = readonly [port: number, management: number];

/** A RabbitMQ node of a test's own, which it may stop: own name, ports and directory. */
export class OwnBroker {
  readonly url: string;
  readonly port: number;
  /** Where the management plugin answers, as host:port. */
  readonly managementAddress: string;
  readonly #directory: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #server: ChildProcess;

  private constructor(directory: string, [port, management]: Ports, environment: NodeJS.ProcessEnv) {
    this.#directory = directory;
    this.#environment = environment;
    this.port = port;
    this.url = `amqp://guest:guest@127.0.0.1:${port}`;
    this.managementAddress = `127.0.0.1:${management}`;
    this.#server = spawn(join(BIN, 'rabbitmq-server'), { env: environment, stdio: 'ignore', detached: true });
    const endWithUs = () => this.#kill();
    process.once('exit', endWithUs);
    this.#server.once('exit', () => process.off('exit', endWithUs));
  }

  /** Starts it and resolves once it answers. */
  static async start({ tls, plugins = [] }: OwnBrokerOptions = {}): Promise<OwnBroker> {
    const directory = await mkdtemp(join(tmpdir(), 'htmengine-broker-'));
    await mkdir(join(directory, 'log'));
    const [port = 0, management = 0, distributionPort = 0] = await freePorts(3);
    await writeFile(join(directory, 'conf-env'), '');
    await writeFile(join(directory, 'plugins'), `[${plugins.join()}].\n`);
    const config = join(directory, 'rabbitmq.conf');
    const settings = plugins.includes('rabbitmq_management') ? managementSettings(management) : '';
    await writeFile(config, settings + (tls === undefined ? '' : tlsSettings(port, tls)));
    const broker = new OwnBroker(directory, [port, management], {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: directory,
      RABBITMQ_NODENAME: `htmengine-test-${port}@localhost`,
      RABBITMQ_NODE_PORT: String(port),
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_DIST_PORT: String(distributionPort),
      RABBITMQ_MNESIA_BASE: join(directory, 'mnesia'),
      RABBITMQ_LOG_BASE: join(directory, 'log'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, 'plugins'),
      RABBITMQ_CONF_ENV_FILE: join(directory, 'conf-env'),
      RABBITMQ_CONFIG_FILE: config,
      RABBITMQ_PID_FILE: join(directory, 'pid'),
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    });
    const connection = new Connection({
      url: broker.url,
      retryLow: 500,
      retryHigh: 500,
      ...(tls !== undefined && { tls: await clientOptions(tls) }),
    });
    connection.on('error', () => undefined);
    try {
      await connection.onConnect(START_TIMEOUT_MS);
      await connection.close();
    } catch (error) {
      broker.#kill();
      throw error;
    }
    return broker;
  }

  /** Of its first process. */
  get pid(): number {
    const { pid } = this.#server;
    if (pid === undefined) throw new Error('the broker does not run');
    return pid;
  }

  /** Stops the broker: connections go, and everything that is not durable. The Erlang node goes on. */
  async stopApplication(): Promise<void> {
    await this.#control('stop_app');
  }

  async startApplication(): Promise<void> {
    await this.#control('start_app');
  }

  /** Adds a user who may configure, write and read what matches. */
  async createUser(name: string, password: string, pattern: string): Promise<void> {
    await this.#control('add_user', name, password);
    await this.#control('set_permissions', name, pattern, pattern, pattern);
  }

  async dispose(): Promise<void> {
    const exited = once(this.#server, 'exit');
    await this.#control('stop').catch(() => this.#kill());
    await exited;
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** The script that starts it, and the node. */
  #kill(): void {
    const { pid, exitCode, signalCode } = this.#server;
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, 'SIGKILL');
  }

  async #control(...command: string[]): Promise<void> {
    await run(join(BIN, 'rabbitmqctl'), command, { env: this.#environment });
  }
}

function managementSettings(port: number): string {
  return `management.tcp.port = ${port}\nmanagement.tcp.ip = 127.0.0.1\n`;
}

function tlsSettings(port: number, { identity, authority }: BrokerTls): string {
  const settings = {
    'listeners.tcp': 'none',
    'listeners.ssl.1': `127.0.0.1:${port}`,
    'ssl_options.cacertfile': authority,
    'ssl_options.certfile': identity.certificate,
    'ssl_options.keyfile': identity.key,
    'ssl_options.verify': 'verify_peer',
    'ssl_options.fail_if_no_peer_cert': 'true',
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('');
}

async function clientOptions({ authority, client }: BrokerTls) {
  const read = (file: string) => readFile(file, 'utf8');
  return {
    servername: 'localhost',
    ca: await read(authority),
    cert: await read(client.certificate),
    key: await read(client.key),
  };
}
