import { z } from 'zod';
import { inQuery, metricName, repeated } from './fields.ts';
import { operation } from './operation.ts';

/** Names in one request. */
const MAX_NAMES = 100;

const sample = z
  .strictObject({
    name: z.string(),
    value: z.number(),
    timestamp: z.number().nullish().describe('Epoch seconds; now if it is missing.'),
  })
  .meta({ id: 'Sample' });

export const postSamples = operation({
  id: 'postSamples',
  method: 'POST',
  path: '/api/v1/samples',
  tag: 'samples',
  summary: 'Stores samples of any metrics',
  description:
    'With `content-encoding: gzip` if it is compressed. Every line that is not in `problems` is stored durably; lines and elements count from 1.',
  bodies: {
    'application/json': z
      .union([
        z.strictObject({ samples: z.array(sample) }),
        z.array(sample),
        z.strictObject({ protocol: z.literal('plain'), data: z.array(z.string()) }),
      ])
      .describe("A list of samples, alone or as `samples`, or the original's metric data."),
    'application/x-ndjson': z.string().describe('A sample each line.'),
    'text/plain': z.string().describe('Graphite lines, `name value timestamp`.'),
  },
  answer: z.object({
    accepted: z.int(),
    refused: z.int(),
    problems: z.array(z.object({ line: z.int(), reason: z.string(), message: z.string() })),
  }),
  problems: ['invalid_request_body', 'body_too_large', 'unsupported_media_type', 'overloaded'],
});

export const streamResults = operation({
  id: 'streamResults',
  method: 'GET',
  path: '/api/v1/results',
  tag: 'samples',
  summary: 'Live results, as server-sent events',
  description:
    'Events `result` and `reset`; see docs/http.md. A client that comes back says its last id in `Last-Event-ID`.',
  query: z.strictObject({
    metric: repeated(metricName, MAX_NAMES).default([]).describe('Only these metrics.'),
    minLogLikelihood: inQuery(z.number().min(0).max(1))
      .default(0)
      .describe('Only results from there on, 0..1.'),
    lastEventId: z.string().max(256).optional().describe('For clients that cannot send the header.'),
  }),
  answerTypes: ['text/event-stream'],
  problems: ['metric_not_found', 'overloaded'],
});
