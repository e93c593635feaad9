import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { HtmEngineError } from '../errors.ts';
import type { MetricSummary } from '../store/queries.ts';
import type { EventStreams } from './event-streams.ts';
import { existing, type NamedPath, parseBody, parseQuery } from './input.ts';
import type { LiveResults } from './live-results.ts';
import { metricJson, rowJson } from './metric-json.ts';
import { modelRoutes } from './models.ts';
import { MAX_RECENT_ROWS, RecentLikelihoods } from './recent-likelihoods.ts';
import { retentionRoutes } from './retention.ts';
import { resultRoutes } from './results.ts';
import type { BodyLimits } from './sample-body.ts';
import { sampleRoutes } from './samples.ts';
import type { ApiServices } from './services.ts';
import { statusRoutes } from './status.ts';
import { transferRoutes } from './transfer.ts';

const recent = z.coerce.number().int().min(1).max(MAX_RECENT_ROWS).optional();
const listQuery = z.strictObject({
  after: z.string().default(''),
  limit: z.coerce.number().int().min(1).max(10_000).default(10_000),
  recent,
});
const metricQuery = z.strictObject({ recent });
const dataQuery = z.strictObject({
  from: z.coerce.number().optional(),
  to: z.coerce.number().optional(),
  afterRowid: z.coerce.number().int().min(0).optional(),
  limit: z.coerce.number().int().min(1).max(100_000).default(1000),
  order: z.enum(['asc', 'desc']).default('asc'),
});
const creation = z.strictObject({ name: z.string() });

export interface V1Options extends BodyLimits {
  /** Metrics whose recent scores are kept in memory. */
  readonly recentMetrics: number;
}

/** The JSON interface. Names in paths are percent-encoded, slashes too. */
export function v1Routes(
  app: FastifyInstance,
  services: ApiServices,
  live: LiveResults,
  streams: EventStreams,
  { recentMetrics, ...limits }: V1Options,
): void {
  const { queries, logLikelihood } = services;
  const strips = new RecentLikelihoods({ queries, live, logLikelihood, maxMetrics: recentMetrics });
  metricRoutes(app, services, strips);
  modelRoutes(app, services);
  transferRoutes(app, services);
  retentionRoutes(app, services);
  sampleRoutes(app, services, limits);
  resultRoutes(app, services, live, streams);
  statusRoutes(app, services);
  app.all('/api/*', (request) => {
    throw new HtmEngineError(
      'reserved_name',
      `there is no ${request.method} ${request.url}; names that begin with api/ are reserved`,
    );
  });
}

function metricRoutes(
  app: FastifyInstance,
  { queries, control, logLikelihood }: ApiServices,
  recentLikelihoods: RecentLikelihoods,
): void {
  async function toJson(metrics: readonly MetricSummary[], rows: number | undefined) {
    if (rows === undefined) return metrics.map((metric) => metricJson(metric, logLikelihood));
    const strips = await recentLikelihoods.of(metrics, rows);
    return metrics.map((metric) => metricJson(metric, logLikelihood, strips.get(metric.metricId) ?? []));
  }

  app.get('/api/v1/metrics', async (request) => {
    const { after, limit, recent: rows } = parseQuery(listQuery, request.query);
    const found = await queries.listMetrics(after, limit);
    const last = found.at(-1);
    return {
      metrics: await toJson(found, rows),
      // Another page may follow: ask again with after=<next>.
      next: last !== undefined && found.length === limit ? last.name : null,
    };
  });

  app.post('/api/v1/metrics', async (request, reply) => {
    const { name } = parseBody(creation, request.body);
    await control.createMetric(name);
    return reply.code(201).send(metricJson(await existing(queries, name), logLikelihood));
  });

  app.get<NamedPath>('/api/v1/metrics/:name', async (request) => {
    const { recent: rows } = parseQuery(metricQuery, request.query);
    const [metric] = await toJson([await existing(queries, request.params.name)], rows);
    return metric;
  });

  app.delete<NamedPath>('/api/v1/metrics/:name', async (request, reply) => {
    await control.deleteMetricByName(request.params.name);
    return reply.code(204).send();
  });

  app.get<NamedPath>('/api/v1/metrics/:name/data', async (request) => {
    const { from, to, afterRowid, limit, order } = parseQuery(dataQuery, request.query);
    const metric = await existing(queries, request.params.name);
    const rows = await queries.readData(metric.metricId, {
      limit,
      newestFirst: order === 'desc',
      ...(from !== undefined && { fromTimestamp: from }),
      ...(to !== undefined && { toTimestamp: to }),
      ...(afterRowid !== undefined && { afterRowid }),
    });
    return { name: metric.name, uid: metric.metricId, rows: rows.map((row) => rowJson(row, logLikelihood)) };
  });
}
