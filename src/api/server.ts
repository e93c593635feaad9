import fastify, { type FastifyInstance } from 'fastify';
import { HtmEngineError, listenFailure } from '../errors.ts';
import { EventStreams, type EventStreamOptions } from './event-streams.ts';
import { refuseForeignPages } from './foreign-pages.ts';
import { answerError } from './problems.ts';
import { healthRoutes } from './health.ts';
import { pageDirectory, pageRoutes } from './page.ts';
import { LiveResults } from './live-results.ts';
import type { ApiServices } from './services.ts';
import { skeletonRoutes } from './skeleton.ts';
import { v1Routes, type V1Options } from './v1.ts';

export interface ApiOptions extends V1Options {
  readonly host: string;
  readonly port: number;
  readonly maxBodyBytes: number;
  readonly maxConnections: number;
  /** Where the built page is, if not where the build puts it. */
  readonly pageDirectory?: string;
  readonly streams: EventStreamOptions & {
    /** Results of all metrics that are kept for streams that come back. */
    readonly ringResults: number;
  };
}

/** Slow senders of headers or bodies are cut off after this. */
const REQUEST_TIMEOUT_MS = 60_000;

/** The HTTP interface: the original's text interface on `/{metric}`, JSON on `/api/v1`, health and Prometheus metrics. */
export class Api {
  readonly #app: FastifyInstance;
  readonly #options: ApiOptions;
  readonly #live: LiveResults;
  readonly #streams: EventStreams;

  constructor(options: ApiOptions, services: ApiServices) {
    this.#options = options;
    const { log } = services.telemetry;
    this.#live = new LiveResults(services.subscribeLive, options.streams.ringResults);
    this.#streams = new EventStreams(options.streams, this.#live, log);
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
    this.#app.setErrorHandler((error, request, reply) => answerError(error, request, reply, log));
    refuseForeignPages(this.#app);
    healthRoutes(this.#app, services);
    v1Routes(this.#app, services, this.#live, this.#streams, options);
    pageRoutes(this.#app, options.pageDirectory ?? pageDirectory());
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

  /** Ends: streams are ended, other requests under way answered, idle connections closed. */
  async stop(): Promise<void> {
    await this.#streams.end();
    await this.#live.close();
    await this.#app.close();
  }

  /** For tests without a socket. */
  get inject(): FastifyInstance['inject'] {
    return this.#app.inject.bind(this.#app);
  }
}
