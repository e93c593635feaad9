import { z } from 'zod';
import { metricName, namedPath, time, timestamp, uid } from './fields.ts';
import { operation } from './operation.ts';

const MAX_SPANS = 1000;
const MAX_NOTE_CHARACTERS = 1000;

const note = z.string().max(MAX_NOTE_CHARACTERS).default('').describe('Why, for those who look later.');
/** Ids of mutes and patterns. */
const idPath = z.strictObject({ id: z.string().min(1).max(64) });

const spanKey = z
  .strictObject({
    uid,
    generation: z
      .int()
      .min(1)
      .max(2 ** 31 - 1),
    openedRowid: z
      .int()
      .min(0)
      .max(2 ** 31 - 1),
  })
  .meta({ id: 'SpanKey', description: 'Which anomalous span of which metric.' });

const span = z
  .object({
    name: metricName,
    uid,
    generation: z.int(),
    openedRowid: z.int(),
    openedAt: timestamp,
    lastRowid: z.int(),
    lastAt: timestamp,
    peakScore: z.number().describe('The highest anomaly score.'),
    peakLogLikelihood: z.number().describe('That on its log scale, 0..1.'),
    peakAt: timestamp,
    lowestValue: z.number(),
    highestValue: z.number(),
    ended: z.boolean(),
    acknowledgement: z.object({ at: timestamp, note: z.string() }).nullable(),
    silence: z
      .object({ by: z.enum(['mute', 'usual']), id: z.string() })
      .nullable()
      .describe('Why it concerns nobody.'),
  })
  .meta({ id: 'Span', description: 'A stretch of rows in which a metric was anomalous.' });

const incident = z
  .object({
    id: z.string().describe('Stays while the incident grows.'),
    openedAt: timestamp,
    lastAt: timestamp,
    open: z.boolean(),
    peakScore: z.number(),
    peakLogLikelihood: z.number(),
    acknowledged: z.boolean(),
    silenced: z.boolean(),
    spans: z.array(span),
  })
  .meta({ id: 'Incident', description: 'Spans, of one metric or many, that lie close in time.' });

const mute = z
  .object({
    id: z.string(),
    pattern: z.string(),
    from: timestamp,
    until: timestamp.nullable().describe('Null for ever.'),
    note: z.string(),
  })
  .meta({ id: 'Mute' });

const minute = z.int().nullable().describe('Minute of the day (UTC); null for any time.');
const usualPattern = z
  .object({
    id: z.string(),
    uid,
    lowestValue: z.number(),
    highestValue: z.number(),
    fromMinute: minute,
    toMinute: minute,
    createdAt: timestamp,
    note: z.string(),
  })
  .meta({ id: 'UsualPattern', description: 'Spans of the metric with values in this range concern nobody.' });

export const listIncidents = operation({
  id: 'listIncidents',
  method: 'GET',
  path: '/api/v1/incidents',
  tag: 'incidents',
  summary: 'What is and was anomalous, across metrics, the newest first',
  query: z.strictObject({
    from: time.optional().describe('Epoch seconds, inclusive.'),
    to: time.optional().describe('Epoch seconds, inclusive.'),
    metric: metricName.optional().describe('Only this metric.'),
  }),
  answer: z.object({
    incidents: z.array(incident),
    more: z.boolean().describe('Whether older spans of this time are left out.'),
  }),
  problems: ['metric_not_found'],
});

export const acknowledgeSpans = operation({
  id: 'acknowledgeSpans',
  method: 'POST',
  path: '/api/v1/incidents/acknowledge',
  tag: 'incidents',
  summary: 'Notes that somebody has seen these spans',
  description: 'Those that were seen before stay as they are.',
  body: z.strictObject({ spans: z.array(spanKey).min(1).max(MAX_SPANS), note }),
  answer: z.object({ acknowledged: z.int().describe('How many had not been seen.') }),
  problems: ['invalid_request_body'],
});

export const listMutes = operation({
  id: 'listMutes',
  method: 'GET',
  path: '/api/v1/mutes',
  tag: 'incidents',
  summary: 'Which metrics are muted',
  answer: z.object({ mutes: z.array(mute) }),
});

export const addMute = operation({
  id: 'addMute',
  method: 'POST',
  path: '/api/v1/mutes',
  tag: 'incidents',
  summary: 'Mutes metrics: spans that open from now on concern nobody',
  body: z.strictObject({
    pattern: z.string().min(1).max(255).describe('A name; `*` is any run of characters, `?` any one.'),
    until: z
      .int()
      .min(0)
      .max(100_000_000_000)
      .nullable()
      .default(null)
      .describe('Epoch seconds; null for ever.'),
    note,
  }),
  status: 201,
  answer: mute,
  problems: ['invalid_request_body', 'overloaded'],
});

export const removeMute = operation({
  id: 'removeMute',
  method: 'DELETE',
  path: '/api/v1/mutes/{id}',
  tag: 'incidents',
  summary: 'Lets muted metrics be heard again',
  params: idPath,
  status: 204,
  problems: ['not_silenced'],
});

export const listUsual = operation({
  id: 'listUsual',
  method: 'GET',
  path: '/api/v1/metrics/{name}/usual',
  tag: 'incidents',
  summary: 'What somebody has called usual for a metric',
  params: namedPath,
  answer: z.object({ patterns: z.array(usualPattern) }),
  problems: ['metric_not_found', 'invalid_metric_name'],
});

export const listAllUsual = operation({
  id: 'listAllUsual',
  method: 'GET',
  path: '/api/v1/usual',
  tag: 'incidents',
  summary: 'What somebody has called usual, for any metric',
  answer: z.object({ patterns: z.array(usualPattern) }),
});

export const callUsual = operation({
  id: 'callUsual',
  method: 'POST',
  path: '/api/v1/usual',
  tag: 'incidents',
  summary: '"This was fine": spans like this one concern nobody, before and after',
  body: z.strictObject({
    span: spanKey,
    anyTime: z.boolean().default(false).describe('Not only those at the same time of day.'),
    note,
  }),
  status: 201,
  answer: usualPattern,
  problems: ['span_not_found', 'metric_not_found', 'invalid_request_body', 'overloaded'],
});

export const forgetUsual = operation({
  id: 'forgetUsual',
  method: 'DELETE',
  path: '/api/v1/usual/{id}',
  tag: 'incidents',
  summary: 'Takes back that something is usual',
  params: idPath,
  status: 204,
  problems: ['not_silenced'],
});
