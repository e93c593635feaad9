import { z } from 'zod';
import { CUSTOM_DATASOURCE } from '../metric.ts';
import { uid } from './fields.ts';
import { operation } from './operation.ts';

const MAX_QUERY_CHARACTERS = 4096;

/** What must be in it, and not only that it is there, is checked by the datasource: each error has a text of its own. */
const part = z.record(z.string(), z.unknown());

export const createModel = operation({
  id: 'createModel',
  method: 'POST',
  path: '/api/v1/models',
  tag: 'models',
  summary: 'Monitors the metric that a model spec names, in the original form',
  description:
    '`metricSpec` names it by `metric` (created if need be) or by `uid`. `modelParams` has `min`, `max`, `minResolution` and `enableClassifier`; `completeModelParams`, instead, a whole model.',
  body: z.strictObject({
    datasource: z.string().max(255).default(CUSTOM_DATASOURCE),
    metricSpec: part,
    modelParams: part.optional(),
    completeModelParams: part.optional(),
  }),
  status: 201,
  answer: z.object({ datasource: z.string(), uid }),
  problems: [
    'datasource_not_found',
    'metric_not_found',
    'metric_already_monitored',
    'invalid_argument',
    'invalid_range',
    'invalid_metric_name',
    'invalid_request_body',
  ],
});

export const listDatasources = operation({
  id: 'listDatasources',
  method: 'GET',
  path: '/api/v1/datasources',
  tag: 'models',
  summary: 'The names of the datasources that the application has',
  answer: z.object({ datasources: z.array(z.string()) }),
});

export const listResources = operation({
  id: 'listResources',
  method: 'GET',
  path: '/api/v1/datasources/{datasource}/resources',
  tag: 'models',
  summary: 'The resources of a datasource that a query names',
  description: 'The custom datasource knows none: its metrics are those that were sent.',
  params: z.strictObject({ datasource: z.string().min(1).max(255) }),
  query: z.strictObject({
    query: z
      .string()
      .max(MAX_QUERY_CHARACTERS)
      .default('')
      .describe('What the datasource asks for; JSON is given to it as what it says, all else as text.'),
  }),
  answer: z.object({ resources: z.array(z.unknown()) }),
  problems: ['datasource_not_found', 'not_supported'],
});
