import type { FastifyInstance } from 'fastify';
import * as operations from '../contract/retention.ts';
import { existing } from './input.ts';
import { route } from './route.ts';
import type { ApiServices } from './services.ts';

/** How long rows are kept, and purging them by command. */
export function retentionRoutes(
  app: FastifyInstance,
  { queries, retention }: Pick<ApiServices, 'queries' | 'retention'>,
): void {
  route(app, operations.getRetention, () => Promise.resolve(retention.status()));

  route(app, operations.runRetention, () => {
    retention.begin();
    return Promise.resolve(retention.status());
  });

  route(app, operations.getMetricRetention, async ({ params }) => {
    const { metricId, name } = await existing(queries, params.name);
    return { name, maxAgeSeconds: await retention.maxAge(metricId) };
  });

  route(app, operations.setMetricRetention, async ({ params, body: { maxAgeSeconds } }) => {
    const { metricId, name } = await existing(queries, params.name);
    await retention.setMaxAge(metricId, maxAgeSeconds);
    return { name, maxAgeSeconds };
  });
}
