import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { z } from 'zod';
import { HtmEngineError } from '../errors.ts';
import type { GivenSample } from '../intake.ts';
import type { RefusalReason } from '../metric.ts';
import { bodyText } from './input.ts';
import type { ApiServices } from './services.ts';

/** One line (or one element of a list) that could be read, or why it could not. */
export type BodyLine =
  | { readonly line: number; readonly sample: GivenSample; readonly refused?: undefined }
  | {
      readonly line: number;
      readonly sample?: undefined;
      readonly refused: RefusalReason;
      readonly example: string;
    };

export interface BodyLimits {
  /** Lines of one body: what is stored in one transaction. */
  readonly maxSamples: number;
  /** Of a body after it was decompressed. */
  readonly maxUnpackedBytes: number;
}

const EXAMPLE_CHARACTERS = 80;

const sampleObject = z.strictObject({
  name: z.string(),
  value: z.number(),
  timestamp: z
    .number()
    .nullish()
    .transform((time) => time ?? undefined),
});
/** The original's metric data, an object of samples, or a bare list of them. */
const jsonBody = z.union([
  z.strictObject({ protocol: z.literal('plain'), data: z.array(z.unknown()) }),
  z.strictObject({ samples: z.array(z.unknown()) }).transform(({ samples }) => samples),
  z.array(z.unknown()),
]);

/** The bytes that a client meant: those it sent, decompressed if it says so. @throws HtmEngineError `unsupported_media_type`, `body_too_large`, `invalid_request_body` */
export async function unpacked(
  body: Buffer,
  encoding: string | undefined,
  maxBytes: number,
): Promise<Buffer> {
  if (encoding === undefined || encoding === 'identity') return body;
  if (encoding !== 'gzip' && encoding !== 'x-gzip') {
    throw new HtmEngineError(
      'unsupported_media_type',
      `content-encoding ${JSON.stringify(encoding)}: send gzip, or no encoding`,
    );
  }
  try {
    return await promisify(gunzip)(body, { maxOutputLength: maxBytes });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') {
      throw new HtmEngineError(
        'body_too_large',
        `the body has more than ${maxBytes} bytes (api.maxUnpackedBytes) when it is decompressed: send less at once`,
      );
    }
    throw new HtmEngineError('invalid_request_body', 'the body is not gzip, though content-encoding says so');
  }
}

/**
 * The lines of a body of samples, in their order, blank ones left out.
 * @throws HtmEngineError `unsupported_media_type`, `body_too_large`, `invalid_request_body`
 */
export function readBody(
  body: Buffer,
  contentType: string | undefined,
  readLine: ApiServices['readLine'],
  { maxSamples }: BodyLimits,
): BodyLine[] {
  const limited = <T>(lines: readonly T[]): readonly T[] => {
    if (lines.length <= maxSamples) return lines;
    throw new HtmEngineError(
      'body_too_large',
      `${lines.length} lines, at most ${maxSamples} are stored at once (bus.maxBatchSamples): send less at once`,
    );
  };
  const plain = (line: string | Buffer, number: number) => plainLine(line, number, readLine);
  switch (contentType?.split(';', 1)[0]?.trim().toLowerCase()) {
    case 'text/plain':
      return limited(splitLines(body)).flatMap((line, i) => plain(line, i + 1));
    case 'application/x-ndjson':
    case 'application/jsonl':
      return limited(splitLines(body)).flatMap((line, i) => objectLine(line, i + 1));
    case 'application/json': {
      const read = jsonBody.safeParse(parseJson(bodyText(body)));
      if (!read.success) {
        throw new HtmEngineError(
          'invalid_request_body',
          'the body must be {"samples": [{"name", "value", "timestamp"}, ...]}, such a list alone, or {"protocol": "plain", "data": ["name value time", ...]}',
        );
      }
      if (Array.isArray(read.data)) return limited(read.data).map((element, i) => sampleLine(element, i + 1));
      return limited(read.data.data).flatMap((line, i) =>
        typeof line === 'string' ? plain(line, i + 1) : [refused(i + 1, 'malformed', JSON.stringify(line))],
      );
    }
    case undefined:
    default:
      throw new HtmEngineError(
        'unsupported_media_type',
        `content-type ${JSON.stringify(contentType ?? '')}: send application/json, application/x-ndjson or text/plain (Graphite lines)`,
      );
  }
}

function plainLine(line: string | Buffer, number: number, readLine: ApiServices['readLine']): BodyLine[] {
  const bytes = typeof line === 'string' ? Buffer.from(line) : line;
  const found = readLine(bytes);
  if (found === null) return [];
  if (typeof found === 'string')
    return [refused(number, found, bytes.toString('utf8', 0, 4 * EXAMPLE_CHARACTERS))];
  return [{ line: number, sample: found }];
}

function objectLine(line: Buffer, number: number): BodyLine[] {
  const text = line.toString('utf8').trim();
  if (text === '') return [];
  try {
    return [sampleLine(JSON.parse(text) as unknown, number)];
  } catch {
    return [refused(number, 'malformed', text)];
  }
}

function sampleLine(element: unknown, number: number): BodyLine {
  const read = sampleObject.safeParse(element);
  if (!read.success) return refused(number, 'malformed', JSON.stringify(element));
  const { name, value, timestamp } = read.data;
  return { line: number, sample: { name, value, ...(timestamp !== undefined && { timestamp }) } };
}

function refused(line: number, reason: RefusalReason, example: string): BodyLine {
  return { line, refused: reason, example: example.slice(0, EXAMPLE_CHARACTERS) };
}

function splitLines(body: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < body.length;) {
    const feed = body.indexOf(0x0a, start);
    const end = feed === -1 ? body.length : feed;
    lines.push(body.subarray(start, end));
    start = end + 1;
  }
  return lines;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new HtmEngineError('invalid_request_body', 'the body is not JSON');
  }
}
