import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { HtmEngineError } from '../errors.ts';
import { statusName } from '../metric.ts';
import type { DataRow, MetricSummary } from '../store/queries.ts';
import type { ApiServices } from './services.ts';

const listQuery = z.strictObject({
  after: z.string().default(''),
  limit: z.coerce.number().int().min(1).max(10_000).default(10_000),
});
const dataQuery = z.strictObject({
  from: z.coerce.number().optional(),
  to: z.coerce.number().optional(),
  afterRowid: z.coerce.number().int().min(0).optional(),
  limit: z.coerce.number().int().min(1).max(100_000).default(1000),
  order: z.enum(['asc', 'desc']).default('asc'),
});

/** The JSON interface. Names in paths are percent-encoded, slashes too. */
export function v1Routes(app: FastifyInstance, { queries }: Pick<ApiServices, 'queries'>): void {
  app.get('/api/v1/metrics', async (request) => {
    const { after, limit } = parse(listQuery, request.query);
    const found = await queries.listMetrics(after, limit);
    const last = found.at(-1);
    return {
      metrics: found.map(metricJson),
      // Another page may follow: ask again with after=<next>.
      next: last !== undefined && found.length === limit ? last.name : null,
    };
  });

  app.get<{ Params: { name: string } }>('/api/v1/metrics/:name', async (request) => {
    return metricJson(await existing(queries, request.params.name));
  });

  app.get<{ Params: { name: string } }>('/api/v1/metrics/:name/data', async (request) => {
    const { from, to, afterRowid, limit, order } = parse(dataQuery, request.query);
    const metric = await existing(queries, request.params.name);
    const rows = await queries.readData(metric.metricId, {
      limit,
      newestFirst: order === 'desc',
      ...(from !== undefined && { fromTimestamp: from }),
      ...(to !== undefined && { toTimestamp: to }),
      ...(afterRowid !== undefined && { afterRowid }),
    });
    return { name: metric.name, uid: metric.metricId, rows: rows.map(rowJson) };
  });

  app.all('/api/*', (request) => {
    throw new HtmEngineError(
      'reserved_name',
      `there is no ${request.method} ${request.url}; names that begin with api/ are reserved`,
    );
  });
}

async function existing(queries: ApiServices['queries'], name: string): Promise<MetricSummary> {
  const metric = await queries.describeMetric(name);
  if (metric === null)
    throw new HtmEngineError('metric_not_found', `there is no metric ${JSON.stringify(name)}`);
  return metric;
}

/** The query's values by `schema`. @throws HtmEngineError `invalid_argument` naming parameter and rule */
function parse<T>(schema: z.ZodType<T>, query: unknown): T {
  const result = schema.safeParse(query);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new HtmEngineError(
    'invalid_argument',
    `query parameter ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`,
  );
}

function metricJson(metric: MetricSummary) {
  return {
    name: metric.name,
    uid: metric.metricId,
    state: statusName(metric.status),
    message: metric.message,
    rows: metric.rows,
    scoredRows: metric.scoredRows,
    lastTimestamp: metric.lastTimestamp,
    lastValue: metric.lastValue,
    lastScore: metric.lastAnomalyScore,
    lastScoredTimestamp: metric.lastScoredTimestamp,
  };
}

function rowJson(row: DataRow) {
  return {
    rowid: row.rowid,
    timestamp: row.timestamp,
    value: row.value,
    rawAnomalyScore: row.rawAnomalyScore,
    anomalyScore: row.anomalyScore,
    displayValue: row.displayValue,
    multiStepBestPredictions:
      row.multiStepBestPredictions === null ? null : (JSON.parse(row.multiStepBestPredictions) as unknown),
  };
}
