import { Counter } from 'prom-client';
import type { Telemetry } from './telemetry.ts';

/** Counts operations that a database server made us run again, by why; the log has each. */
export function storeRepetitions({ log, registry }: Telemetry): (why: string, error: unknown) => void {
  const repetitions = new Counter({
    registers: [registry],
    name: 'htmengine_store_repetitions_total',
    help: 'Database operations that were run again, by why: conflict, lost connection, or a commit without an answer',
    labelNames: ['why'],
  });
  return (why, error) => {
    repetitions.inc({ why });
    log.debug({ event: 'store.repeated', why, err: error }, 'a database operation is run again');
  };
}
