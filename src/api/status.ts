import type { FastifyInstance } from 'fastify';
import { statusName, type MetricStatus } from '../metric.ts';
import type { ApiServices } from './services.ts';

/** How the engine is, at a glance. */
export function statusRoutes(
  app: FastifyInstance,
  { queries, ready, version }: Pick<ApiServices, 'queries' | 'ready' | 'version'>,
): void {
  const startedAt = new Date().toISOString();

  app.get('/api/v1/status', async () => {
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
