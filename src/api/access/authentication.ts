import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HtmEngineError } from '../../errors.ts';
import type { Access } from './access.ts';
import type { Holder } from './tokens.ts';
import { READING } from './methods.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose token came with the request; null without one. */
    holder: Holder | null;
  }
}

/** Routes for those who only ask whether the process lives, and the page's program, which asks for a token itself. Nothing of the engine's data. */
const OPEN_ROUTES = new Set(['/healthz', '/readyz', '/', '/assets/*']);

/** Notes whose token a request brings. */
export function identify(app: FastifyInstance, access: Pick<Access, 'tokens'>): void {
  app.decorateRequest('holder', null);
  app.addHook('onRequest', (request, _reply, done) => {
    const secret = secretOf(request);
    request.holder = secret === null ? null : access.tokens.holderOf(secret);
    done();
  });
}

/** Refuses requests without a token of the scope that they need, if there are tokens at all. */
export function authorize(app: FastifyInstance, access: Pick<Access, 'tokens'>): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (access.tokens.size === 0) {
      done();
      return;
    }
    if (READING.has(request.method) && OPEN_ROUTES.has(request.routeOptions.url ?? '')) {
      done();
      return;
    }
    if (request.holder === null) {
      // Browsers ask their user for the token, as a password, and send it from then on: for what they show as a page.
      const isShown = request.headers.accept?.includes('text/html') === true;
      reply.header(
        'www-authenticate',
        `${isShown ? 'Basic realm="HTM Engine", ' : ''}Bearer realm="HTM Engine"`,
      );
      done(
        new HtmEngineError(
          'unauthorized',
          'this engine wants a token: send it as "Authorization: Bearer TOKEN", or as the password of Basic',
        ),
      );
      return;
    }
    const { name, scope } = request.holder;
    if (scope === 'write' || READING.has(request.method)) {
      done();
      return;
    }
    done(
      new HtmEngineError(
        'forbidden',
        `the token ${name} may only read: ${request.method} needs one of scope write`,
      ),
    );
  });
}

/** What came as bearer token, or as the password of Basic (RFC 7617). */
function secretOf(request: FastifyRequest): string | null {
  const [, scheme = '', value = ''] = /^(\w+) +(\S+) *$/.exec(request.headers.authorization ?? '') ?? [];
  if (scheme.toLowerCase() === 'bearer') return value;
  if (scheme.toLowerCase() !== 'basic') return null;
  const pair = Buffer.from(value, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon === -1 ? null : pair.slice(colon + 1);
}
