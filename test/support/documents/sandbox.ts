import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../commands-in.ts';
import { temporaryDirectory } from '../engine-process.ts';

const ROOT = join(import.meta.dirname, '../../..');
const MAIN = join(ROOT, 'dist/cli/main.js');
/** A command that has not ended by then never will. */
const COMMAND_TIMEOUT_MS = 300_000;
const KILL_AFTER_MS = 30_000;

/** Ports that documents name, and the settings that move them. */
const PORTS = {
  8080: 'HTMENGINE_API_PORT',
  2003: 'HTMENGINE_LISTENER_GRAPHITE_PORT',
  8081: 'HTMENGINE_HEALTH_PORT',
};

export interface Ran {
  readonly code: number | null;
  /** Both outputs in the order in which they came. */
  readonly output: string;
}

/**
 * Where a document's commands run: an empty directory with the built program in reach as `htmengine`, the repository's
 * `examples` beside it, and ports of its own in place of those that documents name.
 */
export class Sandbox {
  readonly #path: string;
  readonly #remove: () => Promise<void>;
  readonly #ports: ReadonlyMap<string, number>;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #running = new Set<ChildProcess>();

  private constructor(
    directory: { path: string; remove: () => Promise<void> },
    ports: ReadonlyMap<string, number>,
  ) {
    this.#path = directory.path;
    this.#remove = directory.remove;
    this.#ports = ports;
    const bin = join(directory.path, 'node_modules/.bin');
    const own = Object.fromEntries(
      Object.entries(PORTS).map(([port, variable]) => [variable, String(ports.get(port))]),
    );
    this.#environment = {
      ...process.env,
      ...own,
      HOME: directory.path,
      PATH: `${bin}:${join(ROOT, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
      HTMENGINE_URL: `http://127.0.0.1:${ports.get('8080') ?? 0}`,
      NO_COLOR: '1',
      TZ: 'UTC',
    };
  }

  static async create(): Promise<Sandbox> {
    const directory = await temporaryDirectory();
    const bin = join(directory.path, 'node_modules/.bin');
    await mkdir(bin, { recursive: true });
    const program = `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`;
    await writeFile(join(bin, 'htmengine'), program, { mode: 0o755 });
    // npm takes a second to find what is at hand.
    await writeFile(join(bin, 'npx'), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 });
    await symlink(join(ROOT, 'examples'), join(directory.path, 'examples'));
    const ports = await Promise.all(
      Object.keys(PORTS).map(async (port) => [port, await freePort()] as const),
    );
    return new Sandbox(directory, new Map(ports));
  }

  /** With this sandbox's ports for those that documents name. */
  moved(text: string): string {
    return text.replaceAll(/\b(8080|2003|8081)\b/g, (port) => String(this.#ports.get(port)));
  }

  /** Runs it to its end. */
  async run(command: string): Promise<Ran> {
    const { child, output } = this.#start(command);
    const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), COMMAND_TIMEOUT_MS);
    const [code] = (await once(child, 'close')) as [number | null];
    clearTimeout(timer);
    this.#running.delete(child);
    return { code, output: output.text };
  }

  /** Lets it run on until the sandbox ends, once it has printed `text`. @throws Error if it ends before */
  async runOn(command: string, text: string): Promise<void> {
    const { child, output } = this.#start(command);
    while (!output.text.includes(text)) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`"${command}" ended without printing "${text}":\n${output.text}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async end(): Promise<void> {
    for (const child of this.#running) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'exit');
      signalGroup(child, 'SIGTERM');
      const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), KILL_AFTER_MS);
      await ended;
      clearTimeout(timer);
    }
    await this.#remove();
  }

  #start(command: string): { child: ChildProcess; output: { text: string } } {
    const script = `exec 2>&1\nset -euo pipefail\n${this.moved(command)}`;
    const child = spawn('bash', ['-c', script], {
      cwd: this.#path,
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'inherit'],
      // A group of its own, so that what it starts can be ended with it.
      detached: true,
    });
    this.#running.add(child);
    const output = { text: '' };
    child.stdout.on('data', (chunk: Buffer) => (output.text += chunk.toString()));
    return { child, output };
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid !== undefined) process.kill(-child.pid, signal);
}
