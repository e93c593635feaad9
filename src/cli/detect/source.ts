import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { HtmEngineError } from '../../errors.ts';

/** Where the bytes of a series come from. */
export interface Source {
  /** For messages and titles. */
  readonly name: string;
  /** Undefined for a stream. */
  readonly sizeBytes: number | undefined;
  /** The bytes from the first one on; of a file as often as one likes, of a stream once. `onBytes` is told as they are read. */
  read(onBytes?: (bytes: number) => void): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** Standard input that must be read twice is kept in a temporary file of at most this size. */
export const MAX_SPOOLED_BYTES = 1_073_741_824;

/**
 * The file, or standard input for `-`.
 * @param twice whether it will be read twice: standard input is then kept in a temporary file until `close`.
 * @throws HtmEngineError `invalid_argument`
 */
export async function openSource(file: string, twice: boolean): Promise<Source> {
  if (file !== '-') return fileSource(file, file);
  return twice ? spooled(process.stdin) : streamed(process.stdin);
}

async function fileSource(name: string, path: string): Promise<Source> {
  const status = await stat(path).catch((error: unknown) => {
    throw cannotRead(name, error);
  });
  if (status.isDirectory())
    throw new HtmEngineError('invalid_argument', `cannot read ${name}: it is a directory`);
  return {
    name,
    sizeBytes: status.size,
    read: (onBytes) => counted(createReadStream(path), onBytes),
    close: () => Promise.resolve(),
  };
}

function streamed(stream: AsyncIterable<Uint8Array>): Source {
  const name = 'standard input';
  return {
    name,
    sizeBytes: undefined,
    read: (onBytes) => counted(stream, onBytes),
    close: () => Promise.resolve(),
  };
}

async function spooled(stream: AsyncIterable<Uint8Array>): Promise<Source> {
  const directory = await mkdtemp(join(tmpdir(), 'htmengine-detect-'));
  const close = () => rm(directory, { recursive: true, force: true });
  try {
    const path = join(directory, 'input.csv');
    await pipeline(bounded(stream), createWriteStream(path, { mode: 0o600 }));
    return { ...(await fileSource('standard input', path)), close };
  } catch (error) {
    await close();
    throw error instanceof HtmEngineError ? error : cannotRead('standard input', error);
  }
}

async function* bounded(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const chunk of stream) {
    total += chunk.length;
    if (total > MAX_SPOOLED_BYTES)
      throw new HtmEngineError(
        'invalid_argument',
        `standard input is longer than ${MAX_SPOOLED_BYTES} bytes, too long to find its range first: give --min and --max, or a file`,
      );
    yield chunk;
  }
}

async function* counted(
  stream: AsyncIterable<Uint8Array>,
  onBytes?: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  const chunks = stream[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await chunks.next().catch((error: unknown) => {
        throw new HtmEngineError('invalid_argument', `it cannot be read on: ${reasonOf(error)}`);
      });
      if (done === true) return;
      onBytes?.(value.length);
      yield value;
    }
  } finally {
    await chunks.return?.();
  }
}

function cannotRead(name: string, error: unknown): HtmEngineError {
  return new HtmEngineError('invalid_argument', `cannot read ${name}: ${reasonOf(error)}`);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && error.code === 'ENOENT' ? 'there is no such file' : error.message;
}
