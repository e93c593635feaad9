import { setTimeout as delay } from 'node:timers/promises';
import { HtmEngineError, type EngineClient } from 'htmengine/client';
import { MAX_SPEED } from './routes.ts';
import type { Source } from './source.ts';

/** Has every route monitored that is not yet, and sends what the source has until `signal` is aborted. */
export async function feed(source: Source, client: EngineClient, signal: AbortSignal): Promise<void> {
  for (const { id } of source.routes) {
    const known = await client.findMetric(id);
    // Monitored before its first row: rows that are there before open no incidents.
    if (known === null || known.state === 'UNMONITORED') await client.monitor(id, { min: 0, max: MAX_SPEED });
  }
  for await (const batch of source.batches(signal)) {
    while (!(await isSent(batch, client)) && !signal.aborted) {
      // The engine is away or full: nothing is lost, it is sent again.
      await delay(1000, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Samples that it has already are refused one by one, and that is all right. */
async function isSent(
  batch: Parameters<EngineClient['sendSamples']>[0],
  client: EngineClient,
): Promise<boolean> {
  if (batch.length === 0) return true;
  try {
    await client.sendSamples(batch);
    return true;
  } catch (error) {
    if (error instanceof HtmEngineError) process.stderr.write(`${error.message}\n`);
    else throw error;
    return false;
  }
}
