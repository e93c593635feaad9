import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm, stat, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Source } from '../csv/source.ts';
import { HtmEngineError } from '../errors.ts';

/** A stream that must be read twice is kept in a temporary file of at most this size. */
export const MAX_SPOOLED_BYTES = 1_073_741_824;
const READ_BYTES = 65_536;

/**
 * The file, or standard input for `-`.
 * @param twice whether it will be read twice: what is no regular file (standard input, a pipe) is then kept in a
 * temporary one until `close`.
 * @throws HtmEngineError `invalid_argument`
 */
export async function openSource(file: string, twice: boolean): Promise<Source> {
  if (file === '-') return streamSource('standard input', process.stdin, twice);
  const status = await stat(file).catch((error: unknown) => {
    throw cannotRead(file, error);
  });
  if (status.isDirectory())
    throw new HtmEngineError('invalid_argument', `cannot read ${file}: it is a directory`);
  if (!status.isFile()) return streamSource(file, createReadStream(file), twice);
  return {
    name: file,
    sizeBytes: status.size,
    read: (onBytes) => counted(createReadStream(file), onBytes),
    close: () => Promise.resolve(),
  };
}

async function streamSource(
  name: string,
  stream: AsyncIterable<Uint8Array>,
  twice: boolean,
): Promise<Source> {
  if (twice) return spooled(name, stream);
  return {
    name,
    sizeBytes: undefined,
    read: (onBytes) => counted(stream, onBytes),
    close: () => Promise.resolve(),
  };
}

async function spooled(name: string, stream: AsyncIterable<Uint8Array>): Promise<Source> {
  try {
    const copy = await openUnnamed();
    try {
      for await (const chunk of bounded(name, stream)) await copy.appendFile(chunk);
      return {
        name,
        sizeBytes: (await copy.stat()).size,
        read: (onBytes) => counted(readFromStart(copy), onBytes),
        close: () => copy.close(),
      };
    } catch (error) {
      await copy.close();
      throw error;
    }
  } catch (error) {
    throw error instanceof HtmEngineError ? error : cannotRead(name, error);
  }
}

/** A temporary file whose name is gone at once, so that nothing is left however the process ends. */
async function openUnnamed(): Promise<FileHandle> {
  const directory = await mkdtemp(join(tmpdir(), 'htmengine-detect-'));
  try {
    return await open(join(directory, 'input.csv'), 'wx+', 0o600);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Without a stream, which would keep the file from being closed. */
async function* readFromStart(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (let position = 0; ;) {
    const { buffer, bytesRead } = await file.read(new Uint8Array(READ_BYTES), 0, READ_BYTES, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function* bounded(name: string, stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const chunk of stream) {
    total += chunk.length;
    if (total > MAX_SPOOLED_BYTES)
      throw new HtmEngineError(
        'invalid_argument',
        `${name} is longer than ${MAX_SPOOLED_BYTES} bytes, too long to find its range first: give --min and --max, or a regular file`,
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
      const next = await chunks.next().catch((error: unknown) => {
        throw new HtmEngineError('invalid_argument', `it cannot be read on: ${reasonOf(error)}`);
      });
      if (next.done === true) return;
      onBytes?.(next.value.length);
      yield next.value;
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
