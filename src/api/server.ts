import fastify, { type FastifyInstance } from 'fastify';
import { HtmEngineError } from '../errors.ts';
import { listenFailure } from '../listen-failure.ts';
import type { Access, AccessOptions, AccessRules } from './access/access.ts';
import { guard } from './access/guard.ts';
import { EventStreams, type EventStreamOptions } from './event-streams.ts';
import { answerConnectionError, answerError } from './problems.ts';
import { createHttpServer, type HttpServerOptions } from './http-server.ts';
import { healthRoutes } from './health.ts';
import { pageDirectory, pageRoutes } from './page.ts';
import { LiveResults } from './live-results.ts';
import type { ApiServices } from './services.ts';
import { skeletonRoutes } from './skeleton.ts';
import { v1Routes, type V1Options } from './v1.ts';

export interface ApiOptions extends V1Options, HttpServerOptions, AccessOptions {
  readonly port: number;
  readonly maxBodyBytes: number;
  /** '' or a path without a slash at its end: requests below it are as those without it. */
  readonly basePath: string;
  /** Where the built page is, if not where the build puts it. */
  readonly pageDirectory?: string;
  readonly streams: EventStreamOptions & {
    /** Results of all metrics that are kept for streams that come back. */
    readonly ringResults: number;
  };
}

/** The HTTP interface: the original's text interface on `/{metric}`, JSON on `/api/v1`, health and Prometheus metrics. */
export class Api {
  readonly #app: FastifyInstance;
  readonly #options: ApiOptions;
  readonly #access: Access;
  readonly #live: LiveResults;
  readonly #streams: EventStreams;

  constructor(options: ApiOptions, services: ApiServices) {
    checkBasePath(options.basePath);
    this.#options = options;
    const { log } = services.telemetry;
    this.#live = new LiveResults(services.subscribeLive, options.streams.ringResults);
    this.#streams = new EventStreams(options.streams, this.#live, log);
    this.#app = fastify({
      bodyLimit: options.maxBodyBytes,
      serverFactory: (handler) => createHttpServer(handler, options, log),
      rewriteUrl: ({ url = '/' }) => withoutBase(url, options.basePath),
      // A metric's name is a path: up to 255 characters, each up to 12 bytes percent-encoded.
      routerOptions: { maxParamLength: 4096 },
      forceCloseConnections: 'idle',
      clientErrorHandler: answerConnectionError,
      // What is no valid path never reaches a route.
      frameworkErrors: (error, request, reply) => void answerError(error, request, reply, log),
    });
    this.#app.removeAllContentTypeParsers();
    this.#app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    this.#app.setErrorHandler((error, request, reply) => answerError(error, request, reply, log));
    this.#access = guard(this.#app, options, log);
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

  /** Takes other rules for who may ask, and how often. @throws HtmEngineError `config_invalid`: then nothing has changed */
  update(rules: AccessRules): void {
    this.#access.update(rules);
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

const BASE_PATH = /^(?:\/[\w.~-]+)*$/;

function checkBasePath(basePath: string): void {
  if (BASE_PATH.test(basePath)) return;
  throw new HtmEngineError(
    'config_invalid',
    `api.basePath is ${JSON.stringify(basePath)}: it must be empty or a path such as /htm, without a slash at its end`,
  );
}

/** The address of a request as the routes know it: behind a proxy that shows the engine under a path, without that. */
function withoutBase(url: string, basePath: string): string {
  return basePath !== '' && url.startsWith(`${basePath}/`) ? url.slice(basePath.length) : url;
}
