import { z } from 'zod';
import { operation } from './operation.ts';

/** Metrics that one request changes at the most. */
export const MAX_CHANGES = 1000;

export const changeMany = operation({
  id: 'changeMany',
  method: 'POST',
  path: '/api/v1/bulk',
  tag: 'models',
  summary: 'Does the same to all metrics that a pattern names',
  description:
    'In byte order of names, one after the other; one that is refused does not keep the others out. Repeating it does no harm: what is done already is told as refused.',
  body: z.strictObject({
    action: z.enum(['monitor', 'unmonitor', 'activate', 'retry', 'relearn', 'delete']),
    pattern: z
      .string()
      .min(1)
      .max(255)
      .describe('`*` is any run of characters, `?` any one; everything else is itself.'),
    after: z.string().default('').describe('The name after which to begin: `next` of the answer before.'),
    limit: z.int().min(1).max(MAX_CHANGES).default(MAX_CHANGES),
    dryRun: z.boolean().default(false).describe('Only tell which metrics are meant.'),
  }),
  answer: z.object({
    results: z.array(
      z.object({
        name: z.string(),
        outcome: z.enum(['done', 'refused', 'meant']),
        code: z.string().optional().describe('Why it was refused.'),
        message: z.string().optional(),
      }),
    ),
    next: z.string().nullable().describe('`after` of the next request; null if no metric is left.'),
  }),
  problems: ['invalid_request_body'],
});
