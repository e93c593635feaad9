import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { ConfigInput } from '../../src/config.ts';
import type { Role } from '../../src/roles.ts';

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js');
/** It starts in two seconds, and on a machine that many want in minutes. */
const START_TIMEOUT_MS = 300_000;

/** One of several processes that share the work: the built program, on free ports. */
export class RoleProcess {
  readonly child: ChildProcess;
  /** The address that its health is served at. */
  readonly host: string;
  /** Of HTTP where it has the role api, else of health and metrics. */
  readonly httpPort: number;
  /** Null without the role metric-listener. */
  readonly graphitePort: number | null;

  private constructor(child: ChildProcess, host: string, httpPort: number, graphitePort: number | null) {
    this.child = child;
    this.host = host;
    this.httpPort = httpPort;
    this.graphitePort = graphitePort;
  }

  /**
   * @param directory where its settings are written. Resolves once it says that it is running.
   * @param prefix begins its command, to run it elsewhere.
   */
  static async start(
    roles: readonly Role[],
    directory: string,
    settings: ConfigInput,
    prefix: readonly string[] = [],
  ): Promise<RoleProcess> {
    const config = join(directory, 'settings.yaml');
    await writeFile(config, stringify(settings));
    const [first = 'api'] = roles;
    const command = roles.length === 1 ? [first] : ['up', '--roles', roles.join()];
    const ports = ['--http-port', '0', '--health-port', '0', '--port', '0'];
    const own = [process.execPath, MAIN, ...command, '--config', config, '--data-dir', directory, ...ports];
    const [program = process.execPath, ...args] = [...prefix, ...own];
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { text: '' };
    child.stdout.on('data', (chunk: Buffer) => (output.text += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output.text += chunk.toString()));
    const deadline = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      const http = /(?:HTTP|Health) +http:\/\/([\d.]+):(\d+)/.exec(output.text);
      const graphite = /Graphite +127\.0\.0\.1:(\d+)/.exec(output.text);
      if (http !== null)
        return new RoleProcess(child, http[1] ?? '', Number(http[2]), graphite && Number(graphite[1]));
      if (child.exitCode !== null || Date.now() > deadline) {
        child.kill('SIGKILL');
        throw new Error(`${roles.join()} did not start:\n${output.text}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Sends `signal` and waits for the process to end. @returns its exit code, null when the signal ended it */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const { child } = this;
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const ended = once(child, 'exit') as Promise<[number | null]>;
    child.kill('SIGCONT');
    child.kill(signal);
    const [code] = await ended;
    return code;
  }

  /** The value of a Prometheus metric, summed over its labels; 0 if it is not there. */
  async counter(name: string, label = ''): Promise<number> {
    const text = await (await fetch(`http://${this.host}:${this.httpPort}/metrics`)).text();
    return text
      .split('\n')
      .filter((line) => (line.startsWith(`${name} `) || line.startsWith(`${name}{`)) && line.includes(label))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }
}
