import { isUtf8 } from 'node:buffer';
import { toSample, type RefusalReason, type Sample } from '../metric.ts';

/**
 * The Graphite plaintext protocol: lines `name value timestamp` that end in `\n`. Pure: bytes in, samples and refusals out.
 *
 * A line is split on ASCII whitespace (so a name may hold any other character, `name;tag=value` too, and `\r\n` is
 * fine). Value and time are plain decimal numbers: optional sign, digits with an optional point, optional exponent.
 * A time of -1, or none, means now; fractions of a second are cut off. Blank lines mean nothing.
 */

/** Where the parser leaves what it found, in the order of the lines. */
export interface LineSink {
  /** A sink that is full takes no more for now: the parser stops before the next line. */
  readonly full: boolean;
  sample(sample: Sample): void;
  /** `example` is the beginning of the line. */
  refused(reason: RefusalReason, example: string): void;
}

const LINE_FEED = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;
const CARRIAGE_RETURN = 0x0d;
const SMALLEST_PARTIAL_BYTES = 256;
/** Enough for 80 characters. */
const EXAMPLE_BYTES = 320;

/** Written so that no text can be matched in two ways: a long run of digits costs linear time. */
const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
/** What programs print for a number that is none: C, Python, Java, JavaScript and old Windows runtimes. */
const NOT_FINITE = /^[+-]?(?:nan(?:\(\w*\))?|inf(?:inity)?|1\.#(?:inf|ind|qnan|snan)0*)$/i;

/** Cuts one connection's bytes into lines and parses them. Holds at most one unfinished line of `maxLineBytes`. */
export class GraphiteParser {
  readonly #maxLineBytes: number;
  readonly #nowSeconds: () => number;
  /** The beginning of a line whose end has not come yet: the first `#partialBytes` bytes. */
  #partial: Buffer = Buffer.alloc(0);
  #partialBytes = 0;
  /** Inside a line that was refused as too long: everything up to its end is passed over. */
  #skipping = false;

  constructor(maxLineBytes: number, nowSeconds: () => number) {
    this.#maxLineBytes = maxLineBytes;
    this.#nowSeconds = nowSeconds;
  }

  /**
   * Parses `chunk` from `offset` on until its end or until the sink is full. Nothing of `chunk` is referred to afterwards.
   * @returns the offset up to which the chunk is used up
   */
  parse(chunk: Buffer, offset: number, sink: LineSink): number {
    const nowSeconds = this.#nowSeconds();
    let start = offset;
    while (start < chunk.length && !sink.full) {
      const end = chunk.indexOf(LINE_FEED, start);
      if (end === -1) {
        this.#keep(chunk, start, sink);
        return chunk.length;
      }
      this.#finishLine(chunk, start, end, nowSeconds, sink);
      start = end + 1;
    }
    return start;
  }

  /** The sender closed properly: what it sent after the last line feed counts as a line. */
  end(sink: LineSink): void {
    this.#finishLine(this.#partial, 0, 0, this.#nowSeconds(), sink);
  }

  /** Takes the rest of a line, `chunk` from `start` to `end`, and what was kept of its beginning. */
  #finishLine(chunk: Buffer, start: number, end: number, nowSeconds: number, sink: LineSink): void {
    if (this.#skipping) {
      this.#skipping = false;
    } else if (this.#partialBytes > 0) {
      const bytes = this.#append(chunk, start, end, sink);
      if (bytes !== null) takeLine(this.#partial, 0, bytes, nowSeconds, sink);
      this.#partialBytes = 0;
    } else if (end - start > this.#maxLineBytes) {
      refuse('line_too_long', chunk, start, start + this.#maxLineBytes, sink);
    } else {
      takeLine(chunk, start, end, nowSeconds, sink);
    }
  }

  /** Keeps the beginning of a line whose end is not in `chunk`. */
  #keep(chunk: Buffer, start: number, sink: LineSink): void {
    if (this.#skipping) return;
    const bytes = this.#append(chunk, start, chunk.length, sink);
    this.#partialBytes = bytes ?? 0;
    this.#skipping = bytes === null;
  }

  /** Puts bytes behind the unfinished line. @returns its length, or null if that is too long: then the line is refused. */
  #append(chunk: Buffer, start: number, end: number, sink: LineSink): number | null {
    const kept = this.#partialBytes;
    const wanted = kept + end - start;
    const bytes = Math.min(wanted, this.#maxLineBytes);
    if (bytes > this.#partial.length) {
      const capacity = Math.max(bytes, SMALLEST_PARTIAL_BYTES, 2 * this.#partial.length);
      const larger = Buffer.allocUnsafe(Math.min(capacity, this.#maxLineBytes));
      this.#partial.copy(larger, 0, 0, kept);
      this.#partial = larger;
    }
    chunk.copy(this.#partial, kept, start, start + bytes - kept);
    if (wanted === bytes) return bytes;
    refuse('line_too_long', this.#partial, 0, bytes, sink);
    return null;
  }
}

/** Parses one line, `bytes` from `start` to `end` without its line feed, into the sink. */
function takeLine(bytes: Buffer, start: number, end: number, nowSeconds: number, sink: LineSink): void {
  const line = parseLine(bytes, start, end, nowSeconds);
  if (line === null) return;
  if (typeof line === 'string') refuse(line, bytes, start, end, sink);
  else sink.sample(line);
}

/** The sample of one line (`bytes` from `start` to `end`), why there is none, or null for a blank line. */
function parseLine(
  bytes: Buffer,
  start: number,
  end: number,
  nowSeconds: number,
): Sample | RefusalReason | null {
  const nameStart = skipSpace(bytes, start, end);
  if (nameStart === end) return null;
  const nameEnd = skipToken(bytes, nameStart, end);
  const valueStart = skipSpace(bytes, nameEnd, end);
  const valueEnd = skipToken(bytes, valueStart, end);
  const timeStart = skipSpace(bytes, valueEnd, end);
  const timeEnd = skipToken(bytes, timeStart, end);

  const ascii = isAscii(bytes, nameStart, end);
  if (!ascii && !isUtf8(bytes.subarray(start, end))) return 'not_utf8';
  if (valueStart === valueEnd || skipSpace(bytes, timeEnd, end) !== end) return 'malformed';

  const value = parseNumber(bytes.toString('latin1', valueStart, valueEnd));
  if (value === null) return 'malformed';
  const time = timeStart === timeEnd ? undefined : parseNumber(bytes.toString('latin1', timeStart, timeEnd));
  if (time === null) return 'malformed';
  const name = ascii
    ? bytes.toString('latin1', nameStart, nameEnd)
    : bytes.toString('utf8', nameStart, nameEnd);
  const { sample, refused } = toSample(name, value, time, nowSeconds);
  return sample ?? refused;
}

/** A plain decimal number; NaN for the spellings of what is not finite; null for anything else. */
function parseNumber(token: string): number | null {
  if (DECIMAL.test(token)) return Number(token);
  return NOT_FINITE.test(token) ? Number.NaN : null;
}

function refuse(reason: RefusalReason, bytes: Buffer, start: number, end: number, sink: LineSink): void {
  sink.refused(reason, bytes.toString('utf8', start, Math.min(end, start + EXAMPLE_BYTES)));
}

function isSpace(byte: number | undefined): boolean {
  return byte === SPACE || (byte !== undefined && byte >= TAB && byte <= CARRIAGE_RETURN);
}

function skipSpace(bytes: Buffer, from: number, end: number): number {
  let i = from;
  while (i < end && isSpace(bytes[i])) i++;
  return i;
}

function skipToken(bytes: Buffer, from: number, end: number): number {
  let i = from;
  while (i < end && !isSpace(bytes[i])) i++;
  return i;
}

function isAscii(bytes: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    if ((bytes[i] ?? 0) >= 0x80) return false;
  }
  return true;
}
