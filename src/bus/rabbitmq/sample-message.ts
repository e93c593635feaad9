import { checkName, checkTimestamp, type Sample } from '../../metric.ts';

/** What the messages in the partitions' queues say of themselves. Their queues' names carry the same version. */
export const SAMPLES_CONTENT_TYPE = 'application/vnd.htmengine.samples; version=1';
/** Samples in one message at the most. */
export const MAX_MESSAGE_SAMPLES = 10_000;
/** A longer message is not decoded: more than 10,000 samples, each with the longest name there is, would take. */
export const MAX_MESSAGE_BYTES = 16 * 2 ** 20;

const VERSION = 1;
const VALUE_BYTES = 8;
const TIMESTAMP_BYTES = 6;
/** 255 characters of four bytes. */
const MAX_NAME_BYTES = 1020;

/** Why a message was not decoded; in words, for whoever looks at dead letters. */
export class UndecodableMessage extends Error {
  override readonly name: string = 'UndecodableMessage';
}

/**
 * Samples as a message: a byte with the version; the names that occur, each once, behind their number; the samples
 * in their order behind theirs, each the index of its name, its value (8 bytes) and its time (6 bytes). Numbers of
 * things are LEB128, fixed widths are big-endian.
 */
export function encodeSamples(samples: readonly Sample[]): Buffer {
  if (samples.length === 0 || samples.length > MAX_MESSAGE_SAMPLES)
    throw new RangeError(`a message has 1 to ${MAX_MESSAGE_SAMPLES} samples, not ${samples.length}`);
  const indexes = new Map<string, number>();
  for (const { name } of samples) if (!indexes.has(name)) indexes.set(name, indexes.size);
  const names = Array.from(indexes.keys(), (name) => Buffer.from(name));
  const bytes = names.reduce((sum, name) => sum + 5 + name.length, 11);
  const writer = new Writer(Buffer.allocUnsafe(bytes + samples.length * (5 + VALUE_BYTES + TIMESTAMP_BYTES)));
  writer.byte(VERSION);
  writer.count(names.length);
  for (const name of names) {
    writer.count(name.length);
    writer.bytes(name);
  }
  writer.count(samples.length);
  for (const { name, value, timestamp } of samples) {
    writer.count(indexes.get(name) ?? 0);
    writer.sample(value, timestamp);
  }
  return writer.written();
}

/** Reads what `encodeSamples` wrote; anything may be given. @throws UndecodableMessage */
export function decodeSamples(message: Buffer, contentType: string | undefined): Sample[] {
  if (contentType !== SAMPLES_CONTENT_TYPE)
    throw new UndecodableMessage(`its content type is not ${SAMPLES_CONTENT_TYPE}`);
  if (message.length > MAX_MESSAGE_BYTES)
    throw new UndecodableMessage(`it has ${message.length} bytes, more than ${MAX_MESSAGE_BYTES}`);
  const reader = new Reader(message);
  if (reader.byte() !== VERSION) throw new UndecodableMessage(`it does not begin with version ${VERSION}`);
  const names = Array.from({ length: reader.count(MAX_MESSAGE_SAMPLES) }, () => readName(reader));
  const samples = Array.from({ length: reader.count(MAX_MESSAGE_SAMPLES) }, () => readSample(reader, names));
  if (samples.length === 0) throw new UndecodableMessage('it has no samples');
  reader.end();
  return samples;
}

function readName(reader: Reader): string {
  const name = reader.text(reader.count(MAX_NAME_BYTES));
  if (name === null || checkName(name) !== null)
    throw new UndecodableMessage('a name in it is not that of a metric');
  return name;
}

function readSample(reader: Reader, names: readonly string[]): Sample {
  const name = names[reader.count(MAX_MESSAGE_SAMPLES)];
  const value = reader.value();
  const timestamp = reader.timestamp();
  if (name === undefined) throw new UndecodableMessage('a sample in it has no name');
  if (!Number.isFinite(value) || Object.is(value, -0))
    throw new UndecodableMessage('a value in it is not finite, or is -0');
  // Whether a time lies too far ahead was asked where it came in, by the clock of then.
  if (checkTimestamp(timestamp, timestamp) !== null)
    throw new UndecodableMessage('a time in it is before 1990 or in milliseconds');
  return { name, value, timestamp };
}

class Writer {
  readonly #buffer: Buffer;
  #offset = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  byte(value: number): void {
    this.#offset = this.#buffer.writeUInt8(value, this.#offset);
  }

  count(value: number): void {
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.byte((rest & 0x7f) | 0x80);
    this.byte(rest);
  }

  bytes(bytes: Buffer): void {
    this.#offset += bytes.copy(this.#buffer, this.#offset);
  }

  sample(value: number, timestamp: number): void {
    this.#offset = this.#buffer.writeDoubleBE(value, this.#offset);
    this.#offset = this.#buffer.writeUIntBE(timestamp, this.#offset, TIMESTAMP_BYTES);
  }

  written(): Buffer {
    return this.#buffer.subarray(0, this.#offset);
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

class Reader {
  readonly #buffer: Buffer;
  #offset = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  byte(): number {
    return this.#buffer.readUInt8(this.#take(1));
  }

  /** @throws UndecodableMessage also for one that is greater than `max` */
  count(max: number): number {
    let value = 0;
    for (let shift = 0; shift <= 28; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (value > max) break;
      if (byte <= 0x7f) return value;
    }
    throw new UndecodableMessage(`a number in it is greater than ${max}`);
  }

  /** Null for what is not UTF-8. */
  text(bytes: number): string | null {
    const start = this.#take(bytes);
    try {
      return UTF8.decode(this.#buffer.subarray(start, start + bytes));
    } catch {
      return null;
    }
  }

  value(): number {
    return this.#buffer.readDoubleBE(this.#take(VALUE_BYTES));
  }

  timestamp(): number {
    return this.#buffer.readUIntBE(this.#take(TIMESTAMP_BYTES), TIMESTAMP_BYTES);
  }

  end(): void {
    if (this.#offset !== this.#buffer.length)
      throw new UndecodableMessage('it goes on after its last sample');
  }

  #take(bytes: number): number {
    const start = this.#offset;
    if (start + bytes > this.#buffer.length) throw new UndecodableMessage('it is cut short');
    this.#offset += bytes;
    return start;
  }
}
