import { inspect } from 'node:util';
import { z } from 'zod';
import { HtmEngineError } from '../errors.ts';
import type { Json, ValueRange } from '../generation.ts';
import { CUSTOM_DATASOURCE, MAX_NAME_CHARACTERS, checkName } from '../metric.ts';
import { checkCompleteSpec, completeParameters } from './complete-spec.ts';

const MAX_JSON_DEPTH = 16;
/** Specs are stored with the metric; none needs to be longer. */
const MAX_SPEC_CHARACTERS = 32_768;
const SHOWN_CHARACTERS = 80;

const label = z
  .string()
  .refine(
    (text) => checkName(text) === null,
    `must have 1 to ${MAX_NAME_CHARACTERS} characters, no control characters`,
  );
const jsonObject = z.custom<Readonly<Record<string, Json>>>(
  (value) => isPlainObject(value) && isJson(value, MAX_JSON_DEPTH),
  `must be an object of JSON values, at most ${MAX_JSON_DEPTH} levels deep`,
);

const modelSpecSchema = z.strictObject({
  /** Only `custom` exists. */
  datasource: z
    .literal(CUSTOM_DATASOURCE, { error: `the only datasource is "${CUSTOM_DATASOURCE}"` })
    .default(CUSTOM_DATASOURCE),
  metricSpec: z.strictObject({
    /** The metric's name; it is created if there is none. */
    metric: z.string().optional(),
    /** The id of an existing metric, instead of its name. */
    uid: z.string().optional(),
    unit: label.optional(),
    /** What the metric belongs to; becomes its `server`. */
    resource: label.optional(),
    /** Anything the user wants kept with the metric. */
    userInfo: jsonObject.optional(),
  }),
  modelParams: z
    .strictObject({
      /** The range of values to expect: both bounds or neither (then it is estimated from stored rows). */
      min: z.number().optional(),
      max: z.number().optional(),
      /** Lowest resolution of the value encoder, in the metric's unit. */
      minResolution: z.number().positive().optional(),
      /** Predict the next value, too. */
      enableClassifier: z.boolean().optional(),
    })
    .optional(),
  /** The whole model in the original's form, in place of `modelParams`. */
  completeModelParams: z
    .strictObject({
      modelConfig: jsonObject,
      inferenceArgs: jsonObject,
      timestampFieldName: z.string(),
      valueFieldName: z.string(),
    })
    .optional(),
});

/** What `monitorMetric` is asked for (system reference 5.2 and 5.3). */
export type ModelSpec = z.input<typeof modelSpecSchema>;
/** A spec that passed all rules which need no store. */
export type CheckedModelSpec = z.output<typeof modelSpecSchema>;

/**
 * Checks a spec: closed, every value by its rule.
 * @throws HtmEngineError `invalid_argument` naming path, value and rule; `invalid_range`; `invalid_metric_name`
 */
export function checkModelSpec(spec: unknown): CheckedModelSpec {
  if (isPlainObject(spec)) checkCompleteSpec(spec);
  const result = modelSpecSchema.safeParse(spec);
  if (!result.success) throw specError(spec, result.error);
  const { metric, uid } = result.data.metricSpec;
  if (metric === undefined && uid === undefined) {
    throw new HtmEngineError(
      'invalid_argument',
      'model spec: metricSpec must name the metric: give "metric" (its name) or "uid"',
      { path: 'metricSpec' },
    );
  }
  if (metric !== undefined) checkMetricName(metric);
  rangeOf(result.data);
  if (result.data.completeModelParams !== undefined) completeParameters(result.data.completeModelParams);
  const { length } = JSON.stringify(result.data);
  if (length > MAX_SPEC_CHARACTERS) {
    throw new HtmEngineError(
      'invalid_argument',
      `model spec: ${length} characters of JSON, at most ${MAX_SPEC_CHARACTERS} are kept: shorten userInfo`,
      { path: 'metricSpec.userInfo' },
    );
  }
  return result.data;
}

/** @throws HtmEngineError `invalid_metric_name` */
export function checkMetricName(name: string): void {
  if (checkName(name) === null) return;
  throw new HtmEngineError(
    'invalid_metric_name',
    `${shown(name)} is not the name of a metric: 1 to ${MAX_NAME_CHARACTERS} characters, no control characters`,
  );
}

/** The range a spec gives, or null. @throws HtmEngineError `invalid_range` */
export function rangeOf({ modelParams: { min, max } = {} }: CheckedModelSpec): ValueRange | null {
  if (min === undefined && max === undefined) return null;
  if (min === undefined || max === undefined) {
    const given = min === undefined ? `max = ${String(max)}` : `min = ${min}`;
    throw new HtmEngineError(
      'invalid_range',
      `model spec: only modelParams.${given} is given: give both min and max or neither`,
    );
  }
  if (min >= max || !Number.isFinite(max - min)) {
    throw new HtmEngineError(
      'invalid_range',
      `model spec: modelParams.min = ${min} and max = ${max}: min must be less than max, and their difference finite`,
    );
  }
  return { min, max };
}

/**
 * The text that is stored as `metric.parameters`: by name instead of id, keys always in the same order.
 * @param name the metric's.
 */
export function canonicalSpec(
  { datasource, metricSpec, modelParams, completeModelParams }: CheckedModelSpec,
  name: string,
): string {
  const { unit, resource, userInfo } = metricSpec;
  return JSON.stringify({
    datasource,
    metricSpec: { metric: name, unit, resource, userInfo },
    modelParams,
    completeModelParams,
  });
}

/** Tells the first thing that is wrong. */
function specError(spec: unknown, { issues }: z.ZodError): HtmEngineError {
  const issue = issues[0];
  if (issue === undefined) throw new Error('a failed check names no issue');
  const unknownKey = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const keys = [...issue.path, ...unknownKey].map(String);
  const value = keys.reduce<unknown>((at, key) => (isPlainObject(at) ? at[key] : undefined), spec);
  const path = keys.join('.');
  const rule = issue.code === 'unrecognized_keys' ? 'there is no such key' : issue.message;
  const isBound = path === 'modelParams.min' || path === 'modelParams.max';
  return new HtmEngineError(
    isBound && typeof value === 'number' ? 'invalid_range' : 'invalid_argument',
    `model spec: ${path === '' ? 'it' : path} = ${shown(value)}: ${rule}`,
    { path },
  );
}

function shown(value: unknown): string {
  const text = inspect(value, { depth: 2, breakLength: Infinity });
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}...`;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isJson(value: unknown, levelsLeft: number): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (levelsLeft === 0) return false;
  if (Array.isArray(value)) return value.every((element) => isJson(element, levelsLeft - 1));
  return isPlainObject(value) && Object.values(value).every((element) => isJson(element, levelsLeft - 1));
}
