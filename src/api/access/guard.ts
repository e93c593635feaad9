import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { isLoopback } from '../../address.ts';
import { HtmEngineError } from '../../errors.ts';
import { logChanges } from './audit.ts';
import { authorize, identify } from './authentication.ts';
import { refuseForeignHosts } from './hosts.ts';
import { refuseForeignPages } from './origins.ts';
import { limitRate } from './rate-limit.ts';
import { readTokens, Tokens } from './tokens.ts';

export interface AccessOptions {
  readonly host: string;
  /** 0 is no limit. */
  readonly maxRequestsPerMinute: number;
  readonly tokens: string;
  readonly tokensFile: string;
  /** Whether listening beyond loopback without tokens is wanted. */
  readonly insecure: boolean;
  /** Parted by commas. */
  readonly allowedHosts: string;
  /** Parted by commas. */
  readonly allowedOrigins: string;
}

/** Everything that stands before the routes: who may ask, for what, and how often. @throws HtmEngineError `config_invalid` */
export function guard(app: FastifyInstance, options: AccessOptions, log: Logger): void {
  const tokens = new Tokens([options.tokens, readTokens(options.tokensFile)]);
  const isPrivate = isLoopback(options.host);
  if (tokens.size === 0 && !isPrivate && !options.insecure) {
    throw new HtmEngineError(
      'config_invalid',
      `api.host is ${options.host}, which others reach, and there are no tokens: set api.tokens or api.tokensFile, or api.insecure to let everybody in`,
    );
  }
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
    });
    done();
  });
  logChanges(app, log);
  if (tokens.size === 0 && isPrivate) refuseForeignHosts(app, listed(options.allowedHosts));
  identify(app, tokens);
  limitRate(app, options.maxRequestsPerMinute);
  refuseForeignPages(app, listed(options.allowedOrigins));
  authorize(app, tokens);
}

function listed(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
