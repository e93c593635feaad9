import type { FastifyInstance } from 'fastify';
import * as operations from '../contract/metrics.ts';
import type { MetricSummary } from '../store/queries.ts';
import { existing } from './input.ts';
import { metricJson } from './metric-json.ts';
import type { RecentLikelihoods } from './recent-likelihoods.ts';
import { route, silentRoute } from './route.ts';
import type { ApiServices } from './services.ts';

/** Metrics and their rows. */
export function metricRoutes(
  app: FastifyInstance,
  { queries, control, logLikelihood }: ApiServices,
  recentLikelihoods: RecentLikelihoods,
): void {
  async function toJson(metrics: readonly MetricSummary[], rows: number | undefined) {
    if (rows === undefined) return metrics.map((metric) => metricJson(metric, logLikelihood));
    const strips = await recentLikelihoods.of(metrics, rows);
    return metrics.map((metric) =>
      metricJson(metric, logLikelihood, [...(strips.get(metric.metricId) ?? [])]),
    );
  }

  route(app, operations.listMetrics, async ({ query: { after, limit, recent } }) => {
    const found = await queries.listMetrics(after, limit);
    const last = found.at(-1);
    return {
      metrics: await toJson(found, recent),
      next: last !== undefined && found.length === limit ? last.name : null,
    };
  });

  route(app, operations.createMetric, async ({ body: { name } }) => {
    await control.createMetric(name);
    return metricJson(await existing(queries, name), logLikelihood);
  });

  route(app, operations.getMetric, async ({ params: { name }, query: { recent } }) => {
    const metric = await existing(queries, name);
    const [json = metricJson(metric, logLikelihood)] = await toJson([metric], recent);
    return json;
  });

  route(app, operations.renameMetric, async ({ params: { name }, body: { to } }) => {
    const { metricId } = await existing(queries, name);
    await control.renameMetric(metricId, to);
    return metricJson(await existing(queries, to), logLikelihood);
  });

  silentRoute(app, operations.deleteMetric, ({ params: { name } }) => control.deleteMetricByName(name));
}
