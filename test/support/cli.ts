import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js');

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a command of the command line, away from a terminal. */
export function startCommand(url: string, ...args: string[]) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, HTMENGINE_URL: url, NO_COLOR: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => undefined);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const result = Promise.all([ended, text(child.stdout), text(child.stderr)]).then(
    ([code, stdout, stderr]): CommandResult => ({ code, stdout, stderr }),
  );
  return { child, result };
}

/** Runs a command to its end. */
export function runCommand(url: string, args: string[], input = ''): Promise<CommandResult> {
  const { child, result } = startCommand(url, ...args);
  child.stdin.end(input);
  return result;
}
