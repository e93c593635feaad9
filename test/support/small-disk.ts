import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const CHUNK = Buffer.alloc(2 ** 20);

/** A file system of its own in memory that can be filled up. */
export class SmallDisk {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Mounts it over the directory `path`. @returns null where mounting is not allowed */
  static mount(path: string, bytes: number): SmallDisk | null {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path], { stdio: 'ignore' });
      return new SmallDisk(path);
    } catch {
      return null;
    }
  }

  /** Leaves no more than so many bytes free. */
  fill(leaveBytes = 0): void {
    const { bavail, bsize } = statfsSync(this.#path);
    const file = openSync(this.#filler, 'w');
    try {
      for (let left = bavail * bsize - leaveBytes; left > 0; left -= CHUNK.byteLength)
        writeSync(file, CHUNK, 0, Math.min(left, CHUNK.byteLength));
    } catch (error) {
      // Others write, too: it may be full before that.
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    } finally {
      closeSync(file);
    }
  }

  makeRoom(): void {
    rmSync(this.#filler, { force: true });
  }

  unmount(): void {
    execFileSync('umount', ['--lazy', this.#path]);
  }

  get #filler(): string {
    return join(this.#path, 'filler');
  }
}
