import type { FastifyInstance } from 'fastify';
import { isLoopback } from '../../address.ts';
import { HtmEngineError } from '../../errors.ts';
import type { Access } from './access.ts';

/**
 * Refuses requests to a name that is not this machine's own: a page of another site may have its name lead to the
 * loopback address, and would then read what it likes (DNS rebinding). Only where nothing else guards the engine.
 * @param allowed names besides those of the loopback address
 */
export function refuseForeignHosts(
  app: FastifyInstance,
  access: Pick<Access, 'reliesOnLoopback'>,
  allowed: readonly string[],
): void {
  const names = new Set(allowed.map((name) => name.toLowerCase()));
  app.addHook('onRequest', (request, _reply, done) => {
    if (!access.reliesOnLoopback) {
      done();
      return;
    }
    const host = hostName(request.headers.host ?? '');
    if (host !== null && (isLoopback(host) || names.has(host))) {
      done();
      return;
    }
    done(
      new HtmEngineError(
        'wrong_host',
        `this engine is not ${JSON.stringify(request.headers.host ?? '')}: ask for localhost, or name it in api.allowedHosts`,
      ),
    );
  });
}

/** The name in a Host header, in lower case; null for what is none. */
function hostName(header: string): string | null {
  const url = URL.parse(`http://${header}`);
  return url === null || header.includes('/') || url.username !== '' ? null : url.hostname;
}
