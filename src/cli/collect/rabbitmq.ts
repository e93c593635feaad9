import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { MEAN_SECONDS, type QueueLength, readQueueLengths } from '../../collector/rabbitmq.ts';
import { UsageError } from '../usage-error.ts';

export interface RabbitmqOptions {
  readonly rmqAddr: string;
  readonly rmqUser: string;
  readonly rmqPass: string;
  readonly rmqQueues: string;
  readonly metricPrefix: string;
  readonly metricAddr?: string;
  readonly dryrun?: true;
}

const SEND_TIMEOUT_MS = 10_000;

/** Reads the lengths of a broker's queues every 5 minutes and sends them to a listener, until a signal. */
export async function collectRabbitmq(options: RabbitmqOptions): Promise<void> {
  const { metricAddr, dryrun } = options;
  if ((metricAddr === undefined) !== (dryrun === true))
    throw new UsageError('give either --metric-addr or --dryrun');
  const target = metricAddr === undefined ? null : hostAndPortOf(metricAddr, '--metric-addr');
  const broker = hostAndPortOf(options.rmqAddr, '--rmq-addr');
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stopping.abort());
  const settings = {
    url: `http://${broker.host.includes(':') ? `[${broker.host}]` : broker.host}:${broker.port}`,
    user: options.rmqUser,
    password: options.rmqPass,
    queues: options.rmqQueues.split(',').filter((queue) => queue !== ''),
    prefix: options.metricPrefix,
  };
  const isStopping = () => stopping.signal.aborted;
  while (!isStopping()) {
    const period = MEAN_SECONDS * 1000;
    const next = (Math.floor(Date.now() / period) + 1) * period;
    if (target !== null) await pause(next - Date.now(), stopping.signal);
    if (isStopping()) return;
    const text = linesOf(await readQueueLengths(settings, stopping.signal), Math.floor(Date.now() / 1000));
    if (target === null) {
      process.stdout.write(text);
      return;
    }
    await send(text, target).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      process.stderr.write(`htmengine: samples were not sent to ${metricAddr}: ${reason}\n`);
    });
  }
}

function linesOf(lengths: readonly QueueLength[], timestamp: number): string {
  return lengths.map(({ name, value }) => `${name.replaceAll(' ', '_')} ${value} ${timestamp}\n`).join('');
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

async function send(text: string, { host, port }: { host: string; port: number }): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const socket = connect({ host, port, timeout: SEND_TIMEOUT_MS });
  socket
    .on('error', reject)
    .on('timeout', () => socket.destroy(new Error(`no answer for ${SEND_TIMEOUT_MS} ms`)))
    .on('close', (failed) => (failed ? undefined : resolve(undefined)))
    .resume()
    .end(text);
  await promise;
}

function hostAndPortOf(text: string, option: string): { host: string; port: number } {
  const [, host = '', port = ''] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  if (host === '') throw new UsageError(`${option} must be HOST:PORT, not ${JSON.stringify(text)}`);
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}
