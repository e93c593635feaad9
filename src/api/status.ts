import type { FastifyInstance } from 'fastify';
import { getStatus } from '../contract/engine.ts';
import { statusName, type MetricStatus } from '../metric.ts';
import { route } from './route.ts';
import type { ApiServices } from './services.ts';

/** How the engine is, at a glance. */
export function statusRoutes(
  app: FastifyInstance,
  { queries, ready, version }: Pick<ApiServices, 'queries' | 'ready' | 'version'>,
): void {
  const startedAt = new Date().toISOString();

  route(app, getStatus, async () => {
    const { metrics, rows, unprocessedRows } = await queries.totals();
    return {
      version,
      startedAt,
      metrics: Object.fromEntries(
        Object.entries(metrics).map(([status, count]) => [statusName(Number(status) as MetricStatus), count]),
      ),
      rows,
      unprocessedRows,
      ready: await ready().then(
        () => true,
        () => false,
      ),
    };
  });
}
