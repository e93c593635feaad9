import { createWriteStream } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { HtmEngineError } from '../../errors.ts';

/** Nobody reads standard output any more (`| head`): there is no point in going on, and nothing to complain about. */
export class ReaderGoneError extends Error {
  override readonly name = 'ReaderGoneError';
}

/** A file, or standard output, written piece by piece. */
export class Output {
  readonly #stream: Writable;
  readonly #name: string;

  private constructor(stream: Writable, name: string) {
    this.#stream = stream;
    this.#name = name;
    stream.on('error', () => undefined); // whoever writes next is told
  }

  /** Empties or makes the file. @throws HtmEngineError `invalid_argument` */
  static async toFile(path: string): Promise<Output> {
    const stream = createWriteStream(path);
    try {
      await once(stream, 'open');
    } catch (error) {
      throw failure(path, error);
    }
    return new Output(stream, path);
  }

  static toStandardOutput(): Output {
    return new Output(process.stdout, 'standard output');
  }

  /** Resolves when the text is on its way. @throws HtmEngineError `invalid_argument`; ReaderGoneError */
  write(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.write(text, (error) => {
        if (error) reject(failure(this.#name, error));
        else resolve();
      });
    });
  }

  /** Nothing is written after this. */
  async close(): Promise<void> {
    if (this.#stream === process.stdout) return;
    await new Promise<void>((resolve) => this.#stream.destroy().once('close', resolve));
  }
}

/** @throws HtmEngineError `invalid_argument` if a file is to be written that is also read or written otherwise */
export async function checkDistinct(paths: readonly string[]): Promise<void> {
  const real = await Promise.all(paths.map((path) => realpath(path).catch(() => path)));
  const again = real.findIndex((path, i) => real.indexOf(path) !== i);
  if (again >= 0)
    throw new HtmEngineError(
      'invalid_argument',
      `${paths[again] ?? ''} is given twice: choose another file to write`,
    );
}

function failure(name: string, error: unknown): Error {
  if (error instanceof Error && 'code' in error && error.code === 'EPIPE') return new ReaderGoneError();
  const reason = error instanceof Error ? error.message : String(error);
  return new HtmEngineError('invalid_argument', `cannot write ${name}: ${reason}`);
}
