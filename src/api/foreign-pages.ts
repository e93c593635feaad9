import type { FastifyInstance } from 'fastify';
import { HtmEngineError } from '../errors.ts';

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses what a page of another site makes a browser send: listening on loopback keeps other machines out, but not
 * the pages that a user of this one has open. Browsers name the page's origin with every request that may change
 * something; other clients send none.
 */
export function refuseForeignPages(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const { origin, host } = request.headers;
    if (READING.has(request.method) || origin === undefined || hostOf(origin) === host) {
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
