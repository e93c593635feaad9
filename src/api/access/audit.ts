import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { READING } from './methods.ts';

/** Samples are what the engine is for; they are counted elsewhere. */
const SAMPLES_PATH = '/api/v1/samples';

/** Logs every request that may change something: who, what, and what came of it. Bodies and tokens are not logged. */
export function logChanges(app: FastifyInstance, log: Logger): void {
  app.addHook('onResponse', (request, reply, done) => {
    const { method, url, ip, holder } = request;
    const [path = ''] = url.split('?', 1);
    const isSamples = path === SAMPLES_PATH || (method === 'POST' && !path.startsWith('/api/'));
    if (!READING.has(method) && !isSamples) {
      log.info(
        {
          event: 'api.change',
          who: holder?.name ?? null,
          address: ip,
          method,
          path,
          status: reply.statusCode,
        },
        'something was changed, or was to be',
      );
    }
    done();
  });
}
