import { z } from 'zod';
import { checkName, MAX_NAME_CHARACTERS } from '../metric.ts';

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A number out of a query: text that is a decimal number, and nothing else that JavaScript takes for one. */
export function inQuery<T extends z.ZodType<number>>(schema: T) {
  return z.preprocess(
    (given) => (typeof given === 'string' && DECIMAL.test(given) ? Number(given) : given),
    schema,
  );
}

/** A parameter that may be given several times. */
export function repeated<T extends z.ZodType<string>>(item: T, maxItems: number) {
  return z.preprocess(
    (given) => (typeof given === 'string' ? [given] : given),
    z.array(item).min(1).max(maxItems),
  );
}

/** JSON Schema counts code points, as the rule does, so it says the same. */
export const metricName = z
  .string()
  .refine(
    (name) => checkName(name) === null,
    `not the name of a metric: 1 to ${MAX_NAME_CHARACTERS} characters, no control characters`,
  )
  .meta({
    description: 'Name of a metric; percent-encoded in paths, slashes too.',
    minLength: 1,
    maxLength: MAX_NAME_CHARACTERS,
    pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f]*$',
  });

/** Parameters of every path that names a metric. */
export const namedPath = z.strictObject({ name: metricName });

export const uid = z.string().describe('The metric for good: stays when it is renamed.');
export const timestamp = z.int().describe('Epoch seconds.');
/** A time in a query: whole seconds or not. */
export const time = inQuery(z.number().min(-1e12).max(1e12));
/** A whole second from 1970 to 9999. */
export const wholeSeconds = z.int().min(0).max(253_402_300_799).describe('Epoch seconds.');

export const modelPath = '/api/v1/metrics/{name}/model';
/** What may go wrong wherever a path names a metric. */
export const nameProblems = ['metric_not_found', 'invalid_metric_name'] as const;
