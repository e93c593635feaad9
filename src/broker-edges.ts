import type { Config } from './config.ts';
import type { EdgeServices } from './edges.ts';
import { serveCustomData } from './listener/custom-data.ts';
import { createLineReader } from './listener/line-reader.ts';
import type { OriginalBroker } from './open-bus.ts';
import { ExchangeFeeder } from './publishing/exchange.ts';

const STOP_TIMEOUT_MS = 10_000;

/** Feeds the original's results exchange, unless that is switched off. @throws HtmEngineError `store_unavailable` */
export async function startResultsExchange(
  { bus, publishing }: Config,
  { publisher, store, telemetry, started }: EdgeServices,
  original: OriginalBroker,
): Promise<void> {
  if (!bus.resultsExchange) return;
  const exchange = original.resultsExchange();
  started.push(() => exchange.close());
  const { catalogue, outbox } = store;
  const { sweepMs } = publishing;
  const feeder = new ExchangeFeeder({ publisher, exchange, catalogue, outbox, telemetry, sweepMs });
  started.push(() => feeder.stop(STOP_TIMEOUT_MS));
  await feeder.start();
}

/**
 * Takes samples out of the original's queue, unless that is switched off. Resolves when the queue is there: a producer that
 * sends to it once the engine runs loses nothing.
 */
export async function startCustomData(
  config: Config,
  { bus, refusals, nowSeconds, started }: EdgeServices,
  original: OriginalBroker,
): Promise<void> {
  if (!config.bus.customData) return;
  const queue = original.customDataQueue();
  started.push(() => queue.close());
  const readLine = createLineReader(config.listener.graphite.maxLineBytes, nowSeconds);
  await serveCustomData({ queue, bus, refusals, readLine });
}
