import { setTimeout as delay } from 'node:timers/promises';

/** Where RabbitMQ's management plugin answers, and what to read there. */
export interface BrokerMetricsOptions {
  /** `http://host:port` */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** `vhost/queue`, both percent-encoded. */
  readonly queues: readonly string[];
  /** What the names of the metrics begin with. */
  readonly prefix: string;
}

/** The mean number of ready messages over the last 5 minutes, of all queues or of one. */
export interface QueueLength {
  readonly name: string;
  readonly value: number;
}

/** How far back a mean goes. */
export const MEAN_SECONDS = 300;
const REQUEST_TIMEOUT_MS = 10_000;
/** A broker that restarts is waited for. */
const PATIENCE_MS = 10_000;
const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 1_000;

/**
 * Reads how many messages wait in a broker's queues, so that an engine may watch its own broker.
 * @throws Error if the broker cannot be reached for 10 s, or answers with an error
 */
export async function readQueueLengths(
  options: BrokerMetricsOptions,
  signal: AbortSignal,
): Promise<QueueLength[]> {
  const { queues, prefix } = options;
  const totals = await ask(options, 'overview', 'queue_totals', signal);
  const lengths = [{ name: `${prefix}-allq-ready.avg`, value: mean(at(totals, 'queue_totals')) }];
  for (const queue of queues) {
    const [, ...name] = queue.split('/');
    const answer = await ask(options, `queues/${queue}`, 'messages_ready_details', signal);
    lengths.push({
      name: `${prefix}-q-${decodeURIComponent(name.join('/'))}-ready.avg`,
      value: mean(answer),
    });
  }
  return lengths;
}

async function ask(
  { url, user, password }: BrokerMetricsOptions,
  path: string,
  columns: string,
  signal: AbortSignal,
): Promise<unknown> {
  const address = `${url}/api/${path}?lengths_age=${MEAN_SECONDS}&lengths_incr=1&columns=${columns}`;
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const answer = await insist(signal, () =>
    fetch(address, {
      headers: { authorization },
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    }),
  );
  if (!answer.ok) throw new Error(`the broker answered ${answer.status} to /api/${path}`);
  return answer.json();
}

/** Repeats what cannot connect, for a while. */
async function insist<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  for (let waitMs = FIRST_DELAY_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_DELAY_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted || performance.now() - begun >= PATIENCE_MS) throw error;
      await delay(waitMs, undefined, { signal });
    }
  }
}

/** A queue on which nothing happened has no mean yet. */
function mean(value: unknown): number {
  const average = at(at(value, 'messages_ready_details'), 'avg');
  return typeof average === 'number' ? average : 0;
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}
