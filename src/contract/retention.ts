import { z } from 'zod';
import { metricName, namedPath, timestamp } from './fields.ts';
import { operation } from './operation.ts';

/** What a store keeps. */
const MAX_AGE_SECONDS = 2_147_483_647;
const KEEPERS = ['scoring', 'checkpoints', 'likelihood', 'cursor', 'last_row', 'state'] as const;
const maxAgeSeconds = z
  .int()
  .min(0)
  .max(MAX_AGE_SECONDS)
  .nullable()
  .describe("0 is for ever, null the engine's setting.");

const retentionStatus = z
  .object({
    maxAgeSeconds: z.int().describe('0: for ever.'),
    running: z.boolean(),
    failure: z.string().nullable(),
    lastPass: z
      .object({
        metrics: z.int(),
        metricsWithOldRows: z.int(),
        purgedRows: z.int(),
        droppedCursors: z.int(),
        keptBy: z
          .record(z.enum(KEEPERS), z.int())
          .describe('Metrics whose old rows stay, by what keeps them.'),
        finishedAt: timestamp,
        durationMs: z.number(),
      })
      .nullable(),
  })
  .meta({ id: 'Retention' });
const metricRetention = z.object({ name: metricName, maxAgeSeconds });
const problems = ['metric_not_found', 'invalid_metric_name'] as const;

export const getRetention = operation({
  id: 'getRetention',
  method: 'GET',
  path: '/api/v1/retention',
  tag: 'engine',
  summary: 'How long rows are kept, and what the last pass came to',
  answer: retentionStatus,
});

export const runRetention = operation({
  id: 'runRetention',
  method: 'POST',
  path: '/api/v1/retention/run',
  tag: 'engine',
  summary: 'Begins a pass unless one is running',
  status: 202,
  answer: retentionStatus,
});

export const getMetricRetention = operation({
  id: 'getMetricRetention',
  method: 'GET',
  path: '/api/v1/metrics/{name}/retention',
  tag: 'metrics',
  summary: 'How long the rows of a metric are kept, if not as long as all',
  params: namedPath,
  answer: metricRetention,
  problems,
});

export const setMetricRetention = operation({
  id: 'setMetricRetention',
  method: 'PUT',
  path: '/api/v1/metrics/{name}/retention',
  tag: 'metrics',
  summary: 'Says how long the rows of a metric are kept',
  params: namedPath,
  body: z.strictObject({ maxAgeSeconds }),
  answer: metricRetention,
  problems: [...problems, 'invalid_request_body'],
});
