import type { FastifyInstance } from 'fastify';
import { HtmEngineError } from '../../errors.ts';
import { READING } from './methods.ts';

const PREFLIGHT_SECONDS = 600;

/**
 * Refuses what a page of another site makes a browser send: listening on loopback keeps other machines out, but not
 * the pages that a user of this one has open. Browsers name the page's origin with every request that may change
 * something; other clients send none. Pages of `allowed` origins may ask for and change everything (CORS).
 */
export function refuseForeignPages(app: FastifyInstance, allowed: readonly string[]): void {
  const origins = new Set(allowed);
  app.addHook('onRequest', (request, reply, done) => {
    const { origin, host } = request.headers;
    if (origin === undefined || hostOf(origin) === host) {
      done();
      return;
    }
    reply.header('vary', 'origin');
    if (origins.has(origin)) {
      reply.headers({
        'access-control-allow-origin': origin,
        'access-control-expose-headers': 'retry-after',
      });
      const asks = request.method === 'OPTIONS' && 'access-control-request-method' in request.headers;
      if (!asks) {
        done();
        return;
      }
      reply.code(204).headers({
        'access-control-allow-methods': 'GET, POST, PUT, DELETE',
        'access-control-allow-headers': 'authorization, content-type, content-encoding, last-event-id',
        'access-control-max-age': String(PREFLIGHT_SECONDS),
      });
      void reply.send();
      return;
    }
    if (READING.has(request.method)) {
      done();
      return;
    }
    done(
      new HtmEngineError(
        'foreign_origin',
        `a page of ${JSON.stringify(origin)} may not change anything here: only the engine's own page may`,
      ),
    );
  });
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}
