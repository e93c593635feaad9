import fastify, { type FastifyInstance } from 'fastify';
import { HtmEngineError, listenFailure } from '../errors.ts';
import { answerError } from './problems.ts';
import { healthRoutes } from './health.ts';
import type { ApiServices } from './services.ts';
import { skeletonRoutes } from './skeleton.ts';
import { v1Routes } from './v1.ts';

export interface ApiOptions {
  readonly host: string;
  readonly port: number;
  readonly maxBodyBytes: number;
  readonly maxConnections: number;
}

/** Slow senders of headers or bodies are cut off after this. */
const REQUEST_TIMEOUT_MS = 60_000;

/** The HTTP interface: the original's text interface on `/{metric}`, JSON on `/api/v1`, health and Prometheus metrics. */
export class Api {
  readonly #app: FastifyInstance;
  readonly #options: ApiOptions;

  constructor(options: ApiOptions, services: ApiServices) {
    this.#options = options;
    this.#app = fastify({
      bodyLimit: options.maxBodyBytes,
      requestTimeout: REQUEST_TIMEOUT_MS,
      // A metric's name is a path: up to 255 characters, each up to 12 bytes percent-encoded.
      routerOptions: { maxParamLength: 4096 },
      forceCloseConnections: 'idle',
    });
    this.#app.server.maxConnections = options.maxConnections;
    this.#app.removeAllContentTypeParsers();
    this.#app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    this.#app.setErrorHandler((error, request, reply) =>
      answerError(error, request, reply, services.telemetry.log),
    );
    healthRoutes(this.#app, services);
    v1Routes(this.#app, services);
    skeletonRoutes(this.#app, services);
  }

  /** @returns the port that is listened on. @throws HtmEngineError `listen_failed` */
  async start(): Promise<number> {
    try {
      await this.#app.listen({ host: this.#options.host, port: this.#options.port });
    } catch (error) {
      throw listenFailure(error, 'HTTP', this.#options.host, this.#options.port, '--http-port');
    }
    const address = this.#app.server.address();
    if (address === null || typeof address === 'string')
      throw new HtmEngineError('listen_failed', 'HTTP has no port');
    return address.port;
  }

  /** Ends: requests under way are answered, idle connections closed. */
  async stop(): Promise<void> {
    await this.#app.close();
  }

  /** For tests without a socket. */
  get inject(): FastifyInstance['inject'] {
    return this.#app.inject.bind(this.#app);
  }
}
