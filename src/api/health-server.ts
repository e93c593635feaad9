import fastify, { type FastifyInstance } from 'fastify';
import { HtmEngineError } from '../errors.ts';
import { listenFailure } from '../listen-failure.ts';
import { healthRoutes } from './health.ts';
import type { ApiServices } from './services.ts';

export interface HealthServerOptions {
  readonly host: string;
  readonly port: number;
}

const REQUEST_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 32;
/** Nobody sends a body here. */
const MAX_BODY_BYTES = 1024;

/** `/healthz`, `/readyz` and `/metrics` of a process that serves no API. */
export class HealthServer {
  readonly #app: FastifyInstance;
  readonly #options: HealthServerOptions;

  constructor(options: HealthServerOptions, services: Pick<ApiServices, 'ready' | 'telemetry'>) {
    this.#options = options;
    this.#app = fastify({
      bodyLimit: MAX_BODY_BYTES,
      requestTimeout: REQUEST_TIMEOUT_MS,
      forceCloseConnections: 'idle',
    });
    this.#app.server.maxConnections = MAX_CONNECTIONS;
    healthRoutes(this.#app, services);
  }

  /** @returns the port that is listened on. @throws HtmEngineError `listen_failed` */
  async start(): Promise<number> {
    const { host, port } = this.#options;
    try {
      await this.#app.listen({ host, port });
    } catch (error) {
      throw listenFailure(error, 'health and metrics', host, port, '--health-port');
    }
    const address = this.#app.server.address();
    if (address === null || typeof address === 'string')
      throw new HtmEngineError('listen_failed', 'health and metrics have no port');
    return address.port;
  }

  async stop(): Promise<void> {
    await this.#app.close();
  }
}
