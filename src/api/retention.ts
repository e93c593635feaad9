import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { existing, type NamedPath, parseBody } from './input.ts';
import type { ApiServices } from './services.ts';

/** 2^31 - 1 seconds, what a store keeps. */
const MAX_AGE_SECONDS = 2_147_483_647;
const ageBody = z.strictObject({ maxAgeSeconds: z.int().min(0).max(MAX_AGE_SECONDS).nullable() });

/** How long rows are kept, and purging them by command. */
export function retentionRoutes(
  app: FastifyInstance,
  { queries, retention }: Pick<ApiServices, 'queries' | 'retention'>,
): void {
  app.get('/api/v1/retention', () => retention.status());

  app.post('/api/v1/retention/run', (_request, reply) => {
    retention.begin();
    return reply.code(202).send(retention.status());
  });

  app.get<NamedPath>('/api/v1/metrics/:name/retention', async (request) => {
    const { metricId, name } = await existing(queries, request.params.name);
    return { name, maxAgeSeconds: await retention.maxAge(metricId) };
  });

  app.put<NamedPath>('/api/v1/metrics/:name/retention', async (request) => {
    const { maxAgeSeconds } = parseBody(ageBody, request.body);
    const { metricId, name } = await existing(queries, request.params.name);
    await retention.setMaxAge(metricId, maxAgeSeconds);
    return { name, maxAgeSeconds };
  });
}
