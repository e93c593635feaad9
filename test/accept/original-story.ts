import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Connection } from 'rabbitmq-client';
import { ROLES } from '../../src/roles.ts';
import { temporaryDirectory, until } from '../support/engine-process.ts';
import { freePorts } from '../support/free-ports.ts';
import { OwnBroker } from '../support/own-broker.ts';
import { OwnServer } from '../support/own-server.ts';
import { pathWithProgram, Supervisor } from '../support/supervisor.ts';

const ROOT = join(import.meta.dirname, '../..');
const TIMEOUT_MS = 300_000;
/** The collector speaks at each whole five minutes. */
const COLLECTOR_TIMEOUT_MS = 420_000;
/** The queue of the original's realtime consumer: nobody reads it here, so results stay in it. */
const CONSUMER_QUEUE = 'skeleton_results';

/**
 * What the original's README tells an operator to do, with our commands, on MariaDB and RabbitMQ that are started for
 * this: set up the database, start broker and supervisor, run the integration tests; then the walk of the skeleton's
 * README, and the collector of queue lengths against RabbitMQ's management plugin.
 */
export async function originalStory(): Promise<void> {
  const directory = await temporaryDirectory();
  const server = await OwnServer.create('mysql');
  const broker = await OwnBroker.start({ plugins: ['rabbitmq_management'] });
  try {
    await server.start();
    const story = await Story.open(join(directory.path, 'skeleton'), server, broker);
    try {
      await story.tell();
    } finally {
      await story.close();
    }
  } finally {
    await broker.dispose();
    await server.remove();
    await directory.remove();
  }
}

/** Ports that differ from the usual ones, which may be taken here. */
interface Place {
  readonly mysqlPort: number;
  readonly graphitePort: number;
  readonly httpPort: number;
}

class Story {
  readonly #application: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #mysql: string;
  readonly #broker: OwnBroker;
  readonly #graphite: string;
  readonly #http: string;
  #supervisor: Supervisor | undefined;
  #collector: ChildProcess | undefined;

  private constructor(application: string, broker: OwnBroker, place: Place, environment: NodeJS.ProcessEnv) {
    this.#application = application;
    this.#broker = broker;
    this.#environment = environment;
    this.#mysql = `mysql --user root --host 127.0.0.1 --port ${place.mysqlPort}`;
    this.#graphite = `127.0.0.1:${place.graphitePort}`;
    this.#http = `http://127.0.0.1:${place.httpPort}`;
  }

  /** The application of the tests with what is other here: ports, in the original's own overrides. */
  static async open(application: string, server: OwnServer, broker: OwnBroker): Promise<Story> {
    const [graphitePort = 0, httpPort = 0] = await freePorts(2);
    await cp(join(ROOT, 'test/skeleton-app'), application, { recursive: true });
    const overrides = join(application, 'conf/overrides');
    await mkdir(overrides);
    await writeFile(
      join(overrides, 'application.conf'),
      `[repository]\nport = ${server.port}\n[metric_listener]\nplaintext_port = ${graphitePort}\n`,
    );
    await writeFile(
      join(application, 'conf/rabbitmq.conf'),
      `[connection]\nhost = 127.0.0.1\nport = ${new URL(broker.url).port}\n`,
    );
    const file = join(application, 'supervisord.conf');
    const included = (await readFile(file, 'utf8')).replace('../../conf', join(ROOT, 'conf'));
    await writeFile(file, included);
    const place = { mysqlPort: server.port, graphitePort, httpPort };
    return new Story(application, broker, place, {
      ...process.env,
      PATH: await pathWithProgram(application),
      HOME: application,
      APPLICATION_CONFIG_PATH: join(application, 'conf'),
      HTMENGINE_API_PORT: String(httpPort),
      HTMENGINE_HEALTH_PORT: '0',
      HTMENGINE_URL: `http://127.0.0.1:${httpPort}`,
    });
  }

  async tell(): Promise<void> {
    await this.#setUpDatabase();
    await this.#startServices();
    await this.#run('npm run test:integration', ROOT);
    await this.#bindConsumer();
    this.#startCollector();
    await this.#walk();
    await this.#readQueueLengths();
    await this.#stopAndReset();
  }

  async close(): Promise<void> {
    this.#collector?.kill('SIGTERM');
    await this.#supervisor?.end();
  }

  async #setUpDatabase(): Promise<void> {
    await this.#run(`${this.#mysql} --execute "create database skeleton"`);
    const settings = await this.#run('htmengine check-config');
    for (const wanted of ['overrides/application.conf', 'model-swapper.conf', 'rabbitmq.conf', '(hidden)'])
      if (!settings.includes(wanted)) throw new Error(`check-config does not tell of ${wanted}`);
    await this.#run('htmengine migrate');
  }

  async #startServices(): Promise<void> {
    process.stdout.write('$ supervisord --nodaemon --configuration supervisord.conf &\n');
    const supervisor = await Supervisor.start(this.#application, this.#environment);
    this.#supervisor = supervisor;
    await until(
      'all services to run',
      async () => (await supervisor.running()).size === ROLES.length,
      TIMEOUT_MS,
    );
    await until(
      'an answer',
      () =>
        fetch(`${this.#http}/readyz`).then(
          ({ ok }) => ok,
          () => false,
        ),
      TIMEOUT_MS,
    );
    process.stdout.write(`$ supervisorctl status\n${await supervisor.control('status')}`);
  }

  /** As the original's realtime consumer declares what it reads. */
  async #bindConsumer(): Promise<void> {
    const connection = new Connection({ url: this.#broker.url });
    connection.on('error', () => undefined);
    const channel = await connection.acquire();
    await channel.exchangeDeclare({ exchange: 'skeleton.model.results', type: 'fanout', durable: true });
    await channel.queueDeclare({ queue: CONSUMER_QUEUE, durable: true });
    await channel.queueBind({ queue: CONSUMER_QUEUE, exchange: 'skeleton.model.results', routingKey: '' });
    await channel.close();
    await connection.close();
  }

  /** Send data, see rows without scores, make a model, see scores, and status 1, which is healthy. */
  async #walk(): Promise<void> {
    const url = `${this.#http}/load_average`;
    await this.#run(`curl --silent --fail --data "1.62 $(date +%s)" ${url}`);
    await this.#expect(`curl --silent --fail ${url}`, / 1\.62 \d+ None\n$/);
    await this.#run(`curl --silent --fail --request PUT --data '{"min":0,"max":12}' ${url}`);
    await this.#run(
      `echo "load_average 1.7 $(( $(date +%s) + 1 ))" > /dev/tcp/${this.#graphite.replace(':', '/')}`,
    );
    await this.#expect(`curl --silent --fail ${url}`, / 1\.62 \d+ 0\.5\n.* 1\.7 \d+ 0\.5\n$/);
    await this.#expect(
      `${this.#mysql} --skip-column-names --execute "select status from skeleton.metric where name = 'load_average'"`,
      /^1\n$/,
    );
  }

  /** The lengths that the broker's own statistics have, once at once and once as the collector sends them. */
  async #readQueueLengths(): Promise<void> {
    const command = this.#collectCommand();
    await this.#expect(
      `${command} --dryrun`,
      new RegExp(
        `^rabbitmq-allq-ready\\.avg [\\d.]+ \\d+\nrabbitmq-q-${CONSUMER_QUEUE}-ready\\.avg [\\d.]*[1-9][\\d.]* \\d+\n$`,
      ),
    );
    await this.#expect(
      `curl --silent ${this.#http}/rabbitmq-q-${CONSUMER_QUEUE}-ready.avg`,
      /-ready\.avg [\d.]+ \d+ None\n$/,
      COLLECTOR_TIMEOUT_MS,
    );
  }

  async #stopAndReset(): Promise<void> {
    const said = await this.#run('supervisorctl --configuration supervisord.conf stop "htmengine:*"');
    if (said.split(': stopped').length - 1 !== ROLES.length) throw new Error('not all services were stopped');
    await this.#run('htmengine db reset --confirm skeleton');
    await this.#expect(
      `${this.#mysql} --skip-column-names --execute "select count(*) from skeleton.metric_data"`,
      /^0\n$/,
    );
  }

  #startCollector(): void {
    const command = `${this.#collectCommand()} --metric-addr ${this.#graphite}`;
    process.stdout.write(`$ ${command} &\n`);
    this.#collector = spawn('bash', ['-c', `exec ${command}`], {
      env: this.#environment,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  }

  #collectCommand(): string {
    const { managementAddress } = this.#broker;
    return `htmengine collect-rabbitmq --rmq-addr ${managementAddress} --rmq-queues %2f/${CONSUMER_QUEUE} --metric-prefix rabbitmq`;
  }

  /** Runs a command until it prints what it must. */
  async #expect(command: string, wanted: RegExp, timeoutMs = TIMEOUT_MS): Promise<void> {
    let printed = '';
    await until(
      `${command} to print ${wanted.source}`,
      async () => {
        printed = await this.#run(command, this.#application, true);
        return wanted.test(printed);
      },
      timeoutMs,
    );
    process.stdout.write(`$ ${command}\n${printed}`);
  }

  /** A line as an operator types it in the application's directory. @throws Error if it fails */
  async #run(command: string, cwd = this.#application, isQuiet = false): Promise<string> {
    if (!isQuiet) process.stdout.write(`$ ${command}\n`);
    const child = spawn('bash', ['-c', `${command} 2>&1`], {
      cwd,
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exit = once(child, 'exit') as Promise<[number | null]>;
    const [printed, [code]] = await Promise.all([text(child.stdout), exit]);
    if (!isQuiet) process.stdout.write(printed);
    if (code !== 0 && !isQuiet) throw new Error(`${command} ended with code ${String(code)}`);
    return printed;
  }
}
