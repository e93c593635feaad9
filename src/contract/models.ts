import { z } from 'zod';
import { metricName, modelPath, namedPath, nameProblems, repeated } from './fields.ts';
import { metric } from './metrics.ts';
import { operation } from './operation.ts';

/** Names in one request; all of its head may have 16 KiB. */
const MAX_NAMES = 100;
/** Specs in one request, each at most 32 KiB of JSON. */
const MAX_MODELS = 10_000;
export const EXPORT_FORMAT = 'htmengine-models' as const;
export const EXPORT_VERSION = 1 as const;

/** What its values must be, and not only their types, is checked with the spec that is made of it. */
const monitorRequest = z
  .strictObject({
    min: z.number().optional().describe('Lowest value to expect; with `max`, or neither.'),
    max: z.number().optional().describe('Highest value to expect.'),
    minResolution: z
      .number()
      .optional()
      .describe("Lowest resolution of the value encoder, in the metric's unit."),
    enableClassifier: z.boolean().optional().describe('Predict the next value, too.'),
    completeModelParams: z
      .record(z.string(), z.unknown())
      .optional()
      .describe(
        "A whole model in the original's form, instead of the four before: `modelConfig`, `inferenceArgs`, `timestampFieldName`, `valueFieldName`.",
      ),
    resource: z.string().optional().describe('What the metric belongs to.'),
    unit: z.string().optional(),
    userInfo: z.record(z.string(), z.unknown()).optional().describe('Anything to be kept with the metric.'),
  })
  .meta({ id: 'MonitorRequest' });

export const monitorMetric = operation({
  id: 'monitorMetric',
  method: 'PUT',
  path: modelPath,
  tag: 'models',
  summary: 'Starts monitoring, and creates the metric if need be',
  description:
    'With a range the model begins at once; without, as soon as enough rows are stored to estimate one.',
  params: namedPath,
  body: monitorRequest,
  status: 201,
  answer: metric,
  problems: [
    'metric_already_monitored',
    'invalid_argument',
    'invalid_range',
    'invalid_metric_name',
    'invalid_request_body',
  ],
});

export const unmonitorMetric = operation({
  id: 'unmonitorMetric',
  method: 'DELETE',
  path: modelPath,
  tag: 'models',
  summary: 'Stops monitoring: model and scores go, rows stay',
  description: 'Also if it was not monitored.',
  params: namedPath,
  status: 204,
  problems: nameProblems,
});

export const activateModel = operation({
  id: 'activateModel',
  method: 'POST',
  path: `${modelPath}/activate`,
  tag: 'models',
  summary: 'Lets a metric in PENDING_DATA begin with the rows there are',
  params: namedPath,
  answer: metric,
  problems: [...nameProblems, 'metric_not_monitored', 'metric_status_changed', 'statistics_not_ready'],
});

export const cloneModel = operation({
  id: 'cloneModel',
  method: 'POST',
  path: `${modelPath}/clone`,
  tag: 'models',
  summary: 'Makes another metric with the same frozen parameters',
  params: namedPath,
  body: z.strictObject({
    to: metricName,
    rows: z.boolean().default(true).describe('Whether it gets the same rows, from which it learns the same.'),
  }),
  status: 201,
  answer: metric,
  problems: [
    ...nameProblems,
    'metric_not_monitored',
    'metric_already_exists',
    'metric_already_monitored',
    'metric_status_changed',
    'invalid_request_body',
  ],
});

export const exportModels = operation({
  id: 'exportModels',
  method: 'GET',
  path: '/api/v1/models/export',
  tag: 'models',
  summary: 'Specs of models, to be imported elsewhere',
  query: z.strictObject({
    name: repeated(metricName, MAX_NAMES).optional().describe('Of these metrics; of all without.'),
    data: z
      .enum(['true', 'false'])
      .default('false')
      .describe('Also `data`, the rows of the last 14 days, which `import` stores; only with `name`.'),
  }),
  answer: z.object({
    format: z.literal(EXPORT_FORMAT),
    version: z.literal(EXPORT_VERSION),
    models: z.array(z.unknown()),
  }),
  problems: ['metric_not_found', 'metric_not_monitored'],
});

const specs = z.array(z.unknown()).max(MAX_MODELS);

export const importModels = operation({
  id: 'importModels',
  method: 'POST',
  path: '/api/v1/models/import',
  tag: 'models',
  summary: 'Monitors metrics as exported specs say',
  description:
    'A spec may bring `data`, a list of `[value, "YYYY-MM-DD HH:MM:SS"]`, which is stored if the metric has no rows. One that is refused does not keep the others out.',
  body: z.union([
    z
      .strictObject({ format: z.literal(EXPORT_FORMAT), version: z.literal(EXPORT_VERSION), models: specs })
      .transform(({ models }) => models),
    specs,
  ]),
  answer: z.object({
    results: z.array(
      z.object({
        name: z.string().nullable(),
        uid: z.string().nullable(),
        outcome: z.enum(['monitored', 'already_monitored', 'refused']),
        code: z.string().optional().describe('Why it was refused.'),
        message: z.string().optional(),
      }),
    ),
  }),
  problems: ['invalid_request_body'],
});
