import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { Access, type AccessOptions } from './access.ts';
import { logChanges } from './audit.ts';
import { authorize, identify } from './authentication.ts';
import { refuseForeignHosts } from './hosts.ts';
import { refuseForeignPages } from './origins.ts';
import { limitRate } from './rate-limit.ts';

/** Everything that stands before the routes: who may ask, for what, and how often. @throws HtmEngineError `config_invalid` */
export function guard(app: FastifyInstance, options: AccessOptions, log: Logger): Access {
  const access = new Access(options);
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
    });
    done();
  });
  logChanges(app, log);
  refuseForeignHosts(app, access, listed(options.allowedHosts));
  identify(app, access);
  limitRate(app, access);
  refuseForeignPages(app, listed(options.allowedOrigins));
  authorize(app, access);
  return access;
}

function listed(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
