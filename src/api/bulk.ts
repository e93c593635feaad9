import type { FastifyInstance } from 'fastify';
import { changeMany } from '../contract/bulk.ts';
import type { BodyOf } from '../contract/operation.ts';
import { HtmEngineError } from '../errors.ts';
import { nameMatcher } from '../name-pattern.ts';
import type { MetricSummary } from '../store/queries.ts';
import { httpStatus } from './problems.ts';
import { route } from './route.ts';
import type { ApiServices } from './services.ts';

const PAGE_METRICS = 1000;

type Controls = Pick<ApiServices, 'control' | 'models'>;
type Action = BodyOf<typeof changeMany>['action'];

/** The same change for many metrics. */
export function bulkRoutes(app: FastifyInstance, services: Controls & Pick<ApiServices, 'queries'>): void {
  const { queries } = services;
  async function select(pattern: string, after: string, limit: number) {
    const isMeant = nameMatcher(pattern);
    const found: MetricSummary[] = [];
    for (let from: string | undefined = after; from !== undefined;) {
      const page: MetricSummary[] = await queries.listMetrics(from, PAGE_METRICS);
      for (const metric of page) {
        if (!isMeant(metric.name)) continue;
        if (found.length === limit) return { found, next: found.at(-1)?.name ?? null };
        found.push(metric);
      }
      from = page.length === PAGE_METRICS ? page.at(-1)?.name : undefined;
    }
    return { found, next: null };
  }

  route(app, changeMany, async ({ body: { action, pattern, after, limit, dryRun } }) => {
    const { found, next } = await select(pattern, after, limit);
    const results = [];
    for (const metric of found) {
      results.push(
        dryRun ? { name: metric.name, outcome: 'meant' as const } : await change(services, action, metric),
      );
    }
    return { results, next };
  });
}

/** A refusal is told; a fault of ours ends the whole. */
async function change(services: Controls, action: Action, metric: MetricSummary) {
  const { name } = metric;
  try {
    await act(services, action, metric);
    return { name, outcome: 'done' as const };
  } catch (error) {
    if (!(error instanceof HtmEngineError) || httpStatus(error) >= 500) throw error;
    return { name, outcome: 'refused' as const, code: error.code, message: error.message };
  }
}

async function act(
  { control, models }: Controls,
  action: Action,
  { metricId, name }: MetricSummary,
): Promise<void> {
  switch (action) {
    case 'monitor':
      await control.monitorMetric({ metricSpec: { metric: name } });
      return;
    case 'unmonitor':
      return control.unmonitorMetric(metricId);
    case 'activate':
      await control.activateModel(metricId);
      return;
    case 'retry':
    case 'relearn':
      return models.restart(metricId, action);
    case 'delete':
      return control.deleteMetricByName(name);
  }
}
