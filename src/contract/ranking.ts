import { z } from 'zod';
import { BAR_SECONDS, BARS, type BarPeriod } from '../anomaly-bars.ts';
import { inQuery, metricName, time, uid } from './fields.ts';
import { metricState } from './metrics.ts';
import { operation } from './operation.ts';

const MAX_RANKED = 10_000;

const rankedMetric = z
  .object({
    name: metricName,
    uid,
    state: metricState,
    red: z.int().describe('Bars that reach a log-likelihood of 0.5.'),
    yellow: z.int().describe('Further bars that reach 0.4.'),
    bars: z
      .array(z.number().nullable())
      .length(BARS)
      .describe('The highest log-likelihood of each, oldest first; null where no row was scored.'),
  })
  .meta({ id: 'RankedMetric' });

export const rankMetrics = operation({
  id: 'rankMetrics',
  method: 'GET',
  path: '/api/v1/ranking',
  tag: 'metrics',
  summary: 'Monitored metrics, the most anomalous of the last hour, day or week first',
  description:
    'The period is cut into 24 bars, counted from the epoch. Metrics are sorted by their red bars, then their yellow ones, then the sum of all, then by name.',
  query: z.strictObject({
    period: z.enum(Object.keys(BAR_SECONDS) as BarPeriod[]).default('day'),
    until: time
      .optional()
      .describe('Epoch seconds at which the period ends: up to now, which it is without.'),
    search: z.string().max(255).default('').describe('Only names that have it in them, in whichever case.'),
    offset: inQuery(z.int().min(0).max(1_000_000)).default(0),
    limit: inQuery(z.int().min(1).max(MAX_RANKED)).default(100),
  }),
  answer: z.object({
    until: z.int().describe('End of the newest bar, epoch seconds.'),
    barSeconds: z.int(),
    total: z.int().describe('Metrics that `search` finds, on this page or not.'),
    metrics: z.array(rankedMetric),
  }),
});
