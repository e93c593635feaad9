import type { FastifyInstance } from 'fastify';
import type { ApiServices } from './services.ts';

/** `/healthz`: the process lives. `/readyz`: it can keep what it is sent. `/metrics`: Prometheus. */
export function healthRoutes(
  app: FastifyInstance,
  { ready, telemetry }: Pick<ApiServices, 'ready' | 'telemetry'>,
): void {
  app.get('/healthz', () => ({ status: 'ok' }));

  app.get('/readyz', async (_request, reply) => {
    try {
      await ready();
      return { status: 'ready' };
    } catch (error) {
      return reply
        .code(503)
        .header('retry-after', '1')
        .send({ status: 'not ready', reason: error instanceof Error ? error.message : String(error) });
    }
  });

  app.get('/metrics', async (_request, reply) => {
    const text = await telemetry.registry.metrics();
    return reply.type(telemetry.registry.contentType).send(text);
  });
}
