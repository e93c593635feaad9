import type { Logger } from 'pino';
import type { Registry } from 'prom-client';

/** What every stage is given to say what it does: a structured log (one line an event) and a registry for Prometheus metrics. */
export interface Telemetry {
  readonly log: Logger;
  readonly registry: Registry;
}
