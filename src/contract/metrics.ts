import { z } from 'zod';
import { MetricStatus } from '../metric.ts';
import { inQuery, metricName, namedPath, time, timestamp, uid, wholeSeconds } from './fields.ts';
import { operation } from './operation.ts';

/** Scores of a strip at the most. */
export const MAX_RECENT_ROWS = 120;
export const MAX_LISTED_METRICS = 10_000;
export const MAX_ROWS = 100_000;

export const metricState = z.enum(Object.keys(MetricStatus) as (keyof typeof MetricStatus)[]);

export const learning = z
  .object({ rows: z.int().describe('Seen so far.'), of: z.int().describe('Needed.') })
  .nullable()
  .describe(
    'How far the first fit of the likelihood is or, in PENDING_DATA, the rows that are waited for; null afterwards.',
  );

export const metric = z
  .object({
    name: metricName,
    uid,
    state: metricState,
    message: z.string().nullable().describe('Why it is in ERROR.'),
    rows: z.int().describe('Stored rows.'),
    scoredRows: z.int().describe('Rows of the present generation that have a score.'),
    learning,
    lastTimestamp: timestamp.nullable(),
    lastValue: z.number().nullable(),
    lastScore: z.number().nullable().describe('Anomaly score of the newest scored row, 0..1.'),
    lastLogLikelihood: z.number().nullable().describe('That on its log scale, 0..1.'),
    lastScoredTimestamp: timestamp.nullable(),
    resource: z.string().nullable().describe('What it belongs to, as its model spec says.'),
    unit: z.string().nullable().describe('As its model spec says.'),
    demo: z.boolean().describe('Made by --demo.'),
    recent: z
      .array(z.number())
      .optional()
      .describe(
        'Log-likelihoods of the last scored rows, oldest first, rounded to 4 decimals; where asked for.',
      ),
  })
  .meta({ id: 'Metric' });

export const row = z
  .object({
    rowid: z.int().describe('1, 2, ... per metric.'),
    timestamp,
    value: z.number(),
    rawAnomalyScore: z.number().nullable().describe("The model's, 0..1."),
    anomalyScore: z.number().nullable().describe('1 minus the tail probability, 0..1.'),
    logLikelihood: z.number().nullable().describe('The anomaly score on its log scale, 0..1.'),
    displayValue: z.int().nullable(),
    multiStepBestPredictions: z.record(z.string(), z.number()).nullable(),
  })
  .meta({ id: 'Row', description: 'A stored row; what is not scored yet is null.' });

const recent = inQuery(z.int().min(1).max(MAX_RECENT_ROWS))
  .optional()
  .describe('So many of the last scores of each metric.');

export const listMetrics = operation({
  id: 'listMetrics',
  method: 'GET',
  path: '/api/v1/metrics',
  tag: 'metrics',
  summary: 'Lists metrics in byte order of their names',
  query: z.strictObject({
    after: z.string().default('').describe('The name after which the page begins.'),
    limit: inQuery(z.int().min(1).max(MAX_LISTED_METRICS)).default(MAX_LISTED_METRICS),
    recent,
  }),
  answer: z.object({
    metrics: z.array(metric),
    next: z.string().nullable().describe('`after` of the next page; null if there is none.'),
  }),
});

export const createMetric = operation({
  id: 'createMetric',
  method: 'POST',
  path: '/api/v1/metrics',
  tag: 'metrics',
  summary: 'Creates a metric, not monitored',
  body: z.strictObject({ name: metricName }),
  status: 201,
  answer: metric,
  problems: ['metric_already_exists', 'invalid_metric_name', 'invalid_request_body'],
});

export const getMetric = operation({
  id: 'getMetric',
  method: 'GET',
  path: '/api/v1/metrics/{name}',
  tag: 'metrics',
  summary: 'Tells of one metric',
  params: namedPath,
  query: z.strictObject({ recent }),
  answer: metric,
  problems: ['metric_not_found', 'invalid_metric_name'],
});

export const deleteMetric = operation({
  id: 'deleteMetric',
  method: 'DELETE',
  path: '/api/v1/metrics/{name}',
  tag: 'metrics',
  summary: 'Removes a metric, its model and its rows',
  params: namedPath,
  status: 204,
  problems: ['metric_not_found', 'invalid_metric_name'],
});

export const renameMetric = operation({
  id: 'renameMetric',
  method: 'POST',
  path: '/api/v1/metrics/{name}/rename',
  tag: 'metrics',
  summary: 'Gives a metric another name; its uid, rows and model stay',
  description:
    'Samples that come under the old name from then on make a new metric: change the sender first.',
  params: namedPath,
  body: z.strictObject({ to: metricName }),
  answer: metric,
  problems: ['metric_not_found', 'metric_already_exists', 'invalid_metric_name', 'invalid_request_body'],
});

export const getStatistics = operation({
  id: 'getStatistics',
  method: 'GET',
  path: '/api/v1/metrics/{name}/statistics',
  tag: 'metrics',
  summary: 'The extremes of all its rows',
  params: namedPath,
  answer: z.object({
    name: metricName,
    uid,
    rows: z.int(),
    lowest: z.number(),
    highest: z.number(),
    firstTimestamp: timestamp,
    lastTimestamp: timestamp,
  }),
  problems: ['metric_not_found', 'statistics_not_ready', 'invalid_metric_name'],
});

export const readData = operation({
  id: 'readData',
  method: 'GET',
  path: '/api/v1/metrics/{name}/data',
  tag: 'metrics',
  summary: 'Reads rows with their scores',
  params: namedPath,
  query: z.strictObject({
    from: time.optional().describe('Epoch seconds, inclusive.'),
    to: time.optional().describe('Epoch seconds, inclusive.'),
    afterRowid: inQuery(z.int().min(0)).optional().describe('Only rows with a higher rowid: for paging.'),
    limit: inQuery(z.int().min(1).max(MAX_ROWS)).default(1000),
    order: z.enum(['asc', 'desc']).default('asc'),
  }),
  answer: z.object({ name: metricName, uid, rows: z.array(row) }),
  problems: ['metric_not_found', 'invalid_metric_name'],
});

export const deleteRows = operation({
  id: 'deleteRows',
  method: 'DELETE',
  path: '/api/v1/metrics/{name}/data',
  tag: 'metrics',
  summary: 'Deletes the rows of an interval',
  description:
    'Of a monitored metric only rows that nothing may ask for again. With `relearn` any: then all scores go, too, and a new generation learns from what is left. The rows before them move up, so that rowids stay consecutive; if the newest row goes, older samples than it are taken again.',
  params: namedPath,
  query: z.strictObject({
    from: inQuery(wholeSeconds).describe('Epoch seconds, inclusive.'),
    to: inQuery(wholeSeconds).describe('Epoch seconds, inclusive; not before `from`.'),
    relearn: z.enum(['true', 'false']).default('false'),
  }),
  answer: z.object({ deletedRows: z.int(), metric }),
  problems: ['metric_not_found', 'invalid_metric_name', 'rows_needed'],
});

export const MAX_BUCKETS = 10_000;

export const bucket = z
  .object({
    firstRowid: z.int(),
    lastRowid: z.int(),
    firstTimestamp: timestamp,
    lastTimestamp: timestamp,
    lowest: z.number().describe('The lowest value.'),
    highest: z.number().describe('The highest value.'),
    anomalyScore: z.number().nullable().describe('The highest; null if none of the rows is scored.'),
    logLikelihood: z.number().nullable().describe('That on its log scale, 0..1.'),
  })
  .meta({ id: 'Bucket', description: 'Consecutive rows, told by their extremes.' });

export const readBuckets = operation({
  id: 'readBuckets',
  method: 'GET',
  path: '/api/v1/metrics/{name}/buckets',
  tag: 'metrics',
  summary: 'Reads rows down-sampled, with every peak',
  description: 'Runs of equally many rows, oldest first; with as many buckets as rows, each row is its own.',
  params: namedPath,
  query: z.strictObject({
    from: time.optional().describe('Epoch seconds, inclusive.'),
    to: time.optional().describe('Epoch seconds, inclusive.'),
    buckets: inQuery(z.int().min(1).max(MAX_BUCKETS)).default(500),
  }),
  answer: z.object({ name: metricName, uid, buckets: z.array(bucket) }),
  problems: ['metric_not_found', 'invalid_metric_name'],
});

export const exportRows = operation({
  id: 'exportRows',
  method: 'GET',
  path: '/api/v1/metrics/{name}/export',
  tag: 'metrics',
  summary: 'All rows, or those between two times, as a file',
  description: 'CSV with a line of titles, or JSON lines of rows; sent as it is read, however long.',
  params: namedPath,
  query: z.strictObject({
    format: z.enum(['csv', 'ndjson']).default('csv'),
    from: time.optional().describe('Epoch seconds, inclusive.'),
    to: time.optional().describe('Epoch seconds, inclusive.'),
  }),
  answerTypes: ['text/csv', 'application/x-ndjson'],
  problems: ['metric_not_found', 'invalid_metric_name'],
});
