import type { Bus } from '../bus/bus.ts';
import type { CustomDataMessage, CustomDataQueue } from '../bus/original.ts';
import type { RefusalReason, Sample } from '../metric.ts';
import type { RefusalCounter } from '../refusals.ts';
import type { ReadLine } from './line-reader.ts';

/** Longer messages are not read. The original sent 200 lines at the most. */
const MAX_MESSAGE_BYTES = 2 * 2 ** 20;

export interface CustomDataServices {
  readonly queue: CustomDataQueue;
  readonly bus: Pick<Bus, 'publishSamples'>;
  readonly refusals: Pick<RefusalCounter, 'count'>;
  readonly readLine: ReadLine;
}

/** What a message says: its samples and the lines that are refused, or why it cannot be read at all. */
type Content =
  | {
      readonly samples: readonly Sample[];
      readonly refused: readonly { readonly reason: RefusalReason; readonly line: string }[];
    }
  | { readonly unreadable: string };

/**
 * Serves the original's queue of samples: what comes there is published on the bus, and acknowledged when the bus has
 * accepted it. A bad line is refused alone, a message that cannot be read becomes a dead letter. Resolves when the queue is
 * there.
 */
export function serveCustomData({ queue, bus, refusals, readLine }: CustomDataServices): Promise<void> {
  return queue.consume(async (messages: readonly CustomDataMessage[]) => {
    const contents = messages.map(({ body }) => readCustomData(body, readLine));
    const samples = contents.flatMap((content) => ('samples' in content ? content.samples : []));
    if (samples.length > 0) await bus.publishSamples(samples);
    // Only now: what could not be published comes again.
    for (const content of contents) {
      if ('refused' in content)
        for (const { reason, line } of content.refused) refusals.count(reason, 1, line);
    }
    return contents.map((content) => ('unreadable' in content ? content.unreadable : null));
  });
}

/** Reads a metric-data message (system reference, 1.5 (a)): `{"protocol": "plain", "data": ["name value time", ...]}`. */
export function readCustomData(body: Buffer, readLine: ReadLine): Content {
  if (body.length > MAX_MESSAGE_BYTES)
    return { unreadable: `it has ${body.length} bytes, more than ${MAX_MESSAGE_BYTES}` };
  let message: unknown;
  try {
    message = JSON.parse(body.toString());
  } catch {
    return { unreadable: 'it is not JSON' };
  }
  if (!isObject(message)) return { unreadable: 'it is not a JSON object' };
  if (message.protocol !== 'plain') return { unreadable: 'its "protocol" is not "plain"' };
  if (!Array.isArray(message.data)) return { unreadable: 'its "data" is not an array' };
  const samples: Sample[] = [];
  const refused: { reason: RefusalReason; line: string }[] = [];
  for (const given of message.data as unknown[]) {
    const line = typeof given === 'string' ? given : JSON.stringify(given);
    const read = typeof given === 'string' ? readLine(Buffer.from(given)) : 'malformed';
    if (typeof read === 'string') refused.push({ reason: read, line });
    else if (read !== null) samples.push(read);
  }
  return { samples, refused };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
