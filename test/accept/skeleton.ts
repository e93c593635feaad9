import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { temporaryDirectory } from '../support/engine-process.ts';

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js');
const INSTALL_TIMEOUT_MS = 300_000;

/** The skeleton application as a stranger meets it: laid down with the packed program, installed by npm, started. */
export async function skeleton(): Promise<void> {
  const directory = await temporaryDirectory();
  const begun = Date.now();
  const told = (what: string) =>
    process.stdout.write(`${((Date.now() - begun) / 1000).toFixed(0)} s: ${what}\n`);
  try {
    const app = join(directory.path, 'my-application');
    await run(process.execPath, [MAIN, 'init', app], directory.path);
    told('laid down, with the packed program');
    await run('npm', ['install', '--no-audit', '--no-fund'], app);
    told('installed');
    told(`first result: ${await firstResult(app)}`);
  } finally {
    await directory.remove();
  }
}

async function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  const child = spawn(command, args, { cwd, stdio: 'inherit', timeout: INSTALL_TIMEOUT_MS });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with code ${code ?? 'none'}`);
}

async function firstResult(app: string): Promise<string> {
  const child = spawn('npm', ['start'], {
    cwd: app,
    env: { ...process.env, SKELETON_PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  try {
    for await (const line of createInterface(child.stdout)) {
      if (/skeleton\.load {2}\d/.test(line)) return line;
    }
    throw new Error('the application ended without a result');
  } finally {
    // npm, its shell and the application.
    if (child.pid !== undefined && child.exitCode === null) {
      const exited = once(child, 'exit');
      process.kill(-child.pid, 'SIGINT');
      await exited;
    }
  }
}
