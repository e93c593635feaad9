import { execFile, type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const FILE = 'supervisord.conf';

/** Why supervisor cannot be run here, or null if it can. @throws where it must (HTMENGINE_REQUIRE_SERVICES) */
export async function missingSupervisor(): Promise<string | null> {
  try {
    await execute('supervisord', ['--version']);
    return null;
  } catch (error) {
    if (process.env.HTMENGINE_REQUIRE_SERVICES === '1') throw error;
    process.stderr.write('NOT RUN: tests of conf/supervisord-base.conf. Install supervisor (Debian).\n');
    return 'no supervisord';
  }
}

/** Puts the built `htmengine` into a directory, as npm does. @returns a PATH that has it, and our Node */
export async function pathWithProgram(directory: string): Promise<string> {
  const bin = join(directory, 'bin');
  await mkdir(bin);
  await symlink(join(ROOT, 'dist/cli/main.js'), join(bin, 'htmengine'));
  return [bin, join(ROOT, 'node_modules/.bin'), process.env.PATH].join(':');
}

/** Debian's supervisord in an application's directory that has a `supervisord.conf`, with the log at `logs/supervisord.log`. */
export class Supervisor {
  readonly #directory: string;
  readonly #process: ChildProcess;

  private constructor(directory: string, environment: NodeJS.ProcessEnv) {
    this.#directory = directory;
    this.#process = spawn('supervisord', ['--nodaemon', '--configuration', FILE], {
      cwd: directory,
      stdio: 'ignore',
      env: environment,
    });
  }

  /** Starts it, with a directory for logs. */
  static async start(directory: string, environment: NodeJS.ProcessEnv): Promise<Supervisor> {
    await mkdir(join(directory, 'logs'), { recursive: true });
    return new Supervisor(directory, environment);
  }

  /** @returns what supervisorctl says; it exits with another code than 0 while a program does not run. */
  control(...args: string[]): Promise<string> {
    return execute('supervisorctl', ['--configuration', FILE, ...args], { cwd: this.#directory }).then(
      ({ stdout }) => stdout,
      (error: unknown) => (error as { stdout: string }).stdout,
    );
  }

  /**
   * The process ids of the programs that have run for as long as supervisor wants to see, by program. Told by its log, which
   * is cheap to read again and again.
   */
  async running(): Promise<Map<string, number>> {
    const pids = new Map<string, number>();
    const running = new Map<string, number>();
    const events = /(spawned|success|exited|stopped): '?(\w+)'?(?: with pid (\d+))?/g;
    for (const [, event, program = '', pid] of (await this.log()).matchAll(events)) {
      if (event === 'spawned') pids.set(program, Number(pid));
      else if (event === 'success') running.set(program, pids.get(program) ?? 0);
      else running.delete(program);
    }
    return running;
  }

  /** What it has written so far. */
  log(): Promise<string> {
    return readFile(join(this.#directory, 'logs/supervisord.log'), 'utf8').catch(() => '');
  }

  /** Ends it and all its programs. */
  async end(): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    await ended;
  }
}
