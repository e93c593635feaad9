import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import * as operations from '../contract/metrics.ts';
import { HtmEngineError } from '../errors.ts';
import type { DataRow } from '../store/queries.ts';
import { existing } from './input.ts';
import { metricJson, rowJson } from './metric-json.ts';
import { rawRoute, route } from './route.ts';
import type { ApiServices } from './services.ts';

const PAGE_ROWS = 5000;
const CSV_TITLES = 'timestamp,value,raw_anomaly_score,anomaly_score,log_likelihood\n';

/** The rows of a metric: as they are, down-sampled, as a file. */
export function rowRoutes(
  app: FastifyInstance,
  { queries, models, logLikelihood }: Pick<ApiServices, 'queries' | 'models' | 'logLikelihood'>,
): void {
  route(app, operations.readData, async ({ params: { name }, query }) => {
    const { afterRowid, limit, order } = query;
    const metric = await existing(queries, name);
    const rows = await queries.readData(metric.metricId, {
      limit,
      newestFirst: order === 'desc',
      ...times(query),
      ...(afterRowid !== undefined && { afterRowid }),
    });
    return { name: metric.name, uid: metric.metricId, rows: rows.map((row) => rowJson(row, logLikelihood)) };
  });

  route(app, operations.deleteRows, async ({ params: { name }, query: { from, to, relearn } }) => {
    const { metricId } = await existing(queries, name);
    const times = { fromTimestamp: from, toTimestamp: to };
    const deletedRows = await models.deleteRows(metricId, times, relearn === 'true');
    return { deletedRows, metric: metricJson(await existing(queries, name), logLikelihood) };
  });

  route(app, operations.readBuckets, async ({ params: { name }, query }) => {
    const metric = await existing(queries, name);
    const buckets = await queries.readBuckets(metric.metricId, { buckets: query.buckets, ...times(query) });
    return {
      name: metric.name,
      uid: metric.metricId,
      buckets: buckets.map((bucket) => ({
        ...bucket,
        logLikelihood: bucket.anomalyScore === null ? null : logLikelihood(bucket.anomalyScore),
      })),
    };
  });

  route(app, operations.getStatistics, async ({ params: { name } }) => {
    const metric = await existing(queries, name);
    const [all] = await queries.readBuckets(metric.metricId, { buckets: 1 });
    if (all === undefined) {
      throw new HtmEngineError('statistics_not_ready', `metric ${JSON.stringify(name)} has no rows yet`);
    }
    const { lowest, highest, firstTimestamp, lastTimestamp } = all;
    const rows = all.lastRowid - all.firstRowid + 1;
    return { name: metric.name, uid: metric.metricId, rows, lowest, highest, firstTimestamp, lastTimestamp };
  });

  rawRoute(app, operations.exportRows, async ({ params: { name }, query }, _request, reply) => {
    const { metricId } = await existing(queries, name);
    const isCsv = query.format === 'csv';
    const toText = (rows: readonly DataRow[]) =>
      rows
        .map((row) => rowJson(row, logLikelihood))
        .map((row) => (isCsv ? csvLine(row) : `${JSON.stringify(row)}\n`))
        .join('');
    async function* text(): AsyncGenerator<string> {
      if (isCsv) yield CSV_TITLES;
      let afterRowid = 0;
      for (;;) {
        const rows = await queries.readData(metricId, { limit: PAGE_ROWS, afterRowid, ...times(query) });
        if (rows.length > 0) yield toText(rows);
        if (rows.length < PAGE_ROWS) return;
        afterRowid = rows.at(-1)?.rowid ?? afterRowid;
      }
    }
    // A name of its own could hold anything: the client names the file.
    return reply
      .type(isCsv ? 'text/csv; charset=utf-8' : 'application/x-ndjson; charset=utf-8')
      .header('content-disposition', `attachment; filename="rows.${query.format}"`)
      .send(Readable.from(text()));
  });
}

function csvLine(row: ReturnType<typeof rowJson>): string {
  const { timestamp, value, rawAnomalyScore, anomalyScore, logLikelihood } = row;
  const cells = [value, rawAnomalyScore, anomalyScore, logLikelihood].map((cell) => cell ?? '');
  return `${new Date(timestamp * 1000).toISOString().slice(0, 19)}Z,${cells.join(',')}\n`;
}

function times({ from, to }: { readonly from?: number | undefined; readonly to?: number | undefined }) {
  return {
    ...(from !== undefined && { fromTimestamp: from }),
    ...(to !== undefined && { toTimestamp: to }),
  };
}
