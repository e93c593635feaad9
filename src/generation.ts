/**
 * What is frozen when a generation opens, and how a range becomes a resolution. Pure; shared by the store (which
 * freezes inside the transaction that knows the rows) and by those who read generations.
 */

import { CUSTOM_DATASOURCE } from './metric.ts';

/** Rows from which a range may be estimated: a day of 5-minute samples, as in the original. */
export const DEFAULT_MINIMUM_ROWS = 288;
const DEFAULT_MINIMUM_RESOLUTION = 0.001;
/**
 * The most that the temporal memory of a new generation may hold, unless configured otherwise: a model then stays below
 * 10 MiB whatever its metric does, and only noise feels it (docs/decisions/0006-growth-ceiling.md).
 */
export const DEFAULT_CEILING = { maxSegments: 45_000, maxSynapses: 1_080_000 } as const;
const RESOLUTION_DIVISOR = 130;
const RANGE_PADDING = 0.2;

/** The values a metric is expected to take. `min < max`, both finite. */
export interface ValueRange {
  readonly min: number;
  readonly max: number;
}

/** The JSON values that parameters consist of. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** What `monitor` is asked for, kept with the generation from the first moment so that a later activation forgets nothing. */
export interface GenerationRequest {
  /** Canonical model spec (system reference 5.2), JSON text; becomes `metric.parameters`. */
  readonly spec: string;
  /** The range given by the user, or null to estimate it from rows. */
  readonly range: ValueRange | null;
  readonly minResolution: number | null;
  /** Rows needed before a range may be estimated without an explicit `activate`. */
  readonly minimumRows: number;
  /** Model parameters as plain JSON; the resolution is still to be filled in where `resolutionPath` is not null. */
  readonly modelParams: Json;
  /** Keys that lead to the value encoder's resolution in `modelParams`; null where the parameters came complete. */
  readonly resolutionPath: readonly string[] | null;
  readonly likelihood: LikelihoodConstants;
  readonly algorithmRevision: number;
  /** `metricSpec.resource` of the spec: becomes `metric.server`. */
  readonly resource: string | null;
}

/** What metrics that are monitored from their creation on have in common: the range is each one's own, from its rows. */
export type AutomaticRequest = Omit<GenerationRequest, 'spec' | 'range' | 'resource'>;

/** The request for one such metric. */
export function automaticRequestFor(name: string, request: AutomaticRequest): GenerationRequest {
  const spec = JSON.stringify({ datasource: CUSTOM_DATASOURCE, metricSpec: { metric: name } });
  return { ...request, spec, range: null, resource: null };
}

/** Constants of the streaming likelihood (model reference 7.1), frozen with a generation. */
export interface LikelihoodConstants {
  readonly learningPeriod: number;
  readonly estimationSamples: number;
  readonly historicWindowSize: number;
  readonly reestimationPeriod: number;
  readonly averagingWindow: number;
  readonly tail: 'one-sided' | 'two-sided';
}

/** An open generation: everything a model and its scores follow from. */
export interface Generation {
  readonly metricId: string;
  /** 1, 2, ... per metric. */
  readonly generation: number;
  /** Complete model parameters, resolution filled in. */
  readonly modelParams: Json;
  readonly likelihood: LikelihoodConstants;
  readonly algorithmRevision: number;
  /** The lowest rowid stored when the generation opened (or 1 before any row): where the fold starts. */
  readonly startRowid: number;
  /** `last_rowid` at `monitor`'s commit: rows up to it are backlog. */
  readonly backlogRowid: number;
}

/** The range estimated from observed values: 20 % of their span added on each side; a constant metric spans 1. System reference 4.4. */
export function estimateRange(lowest: number, highest: number): ValueRange {
  const max = highest <= lowest ? lowest + 1 : highest;
  const padding = RANGE_PADDING * (max - lowest);
  const { MAX_VALUE } = Number;
  return { min: Math.max(-MAX_VALUE, lowest - padding), max: Math.min(MAX_VALUE, max + padding) };
}

/** The value encoder's resolution for a range: its 130th part, at least `minResolution` (default 0.001). Model reference 1.3. */
export function resolutionFor(range: ValueRange, minResolution: number | null): number {
  const span = range.max === range.min ? 1 : range.max - range.min;
  // Divided first only where the span overflows: elsewhere the last bit would differ from the original's.
  const part = Number.isFinite(span)
    ? span / RESOLUTION_DIVISOR
    : range.max / RESOLUTION_DIVISOR - range.min / RESOLUTION_DIVISOR;
  return Math.max(minResolution ?? DEFAULT_MINIMUM_RESOLUTION, part);
}

/** `json` with the value at `path` (keys of objects, indexes of arrays) replaced by `resolution`; every key must exist. */
export function fillResolution(json: Json, path: readonly string[], resolution: number): Json {
  const [key, ...rest] = path;
  if (key === undefined) return resolution;
  const child = Object.entries(json ?? {}).find(([known]) => known === key);
  if (child === undefined)
    throw new TypeError(`model parameters have no key ${key} on the way to the resolution`);
  const filled = fillResolution(child[1] as Json, rest, resolution);
  return Array.isArray(json)
    ? (json as readonly Json[]).map((item, i) => (String(i) === key ? filled : item))
    : { ...(json as { readonly [key: string]: Json }), [key]: filled };
}
