import type { z } from 'zod';
import type { changeMany } from '../contract/bulk.ts';
import type { createModel } from '../contract/datasources.ts';
import type { getStatus } from '../contract/engine.ts';
import type { bucket, learning, metric, row } from '../contract/metrics.ts';
import type { doNotLearn, restartModel } from '../contract/model-control.ts';
import type { getLikelihood, getModel, interval } from '../contract/model-details.ts';
import type { importModels, monitorMetric } from '../contract/models.ts';
import type { AnswerOf, BodyOf, QueryOf } from '../contract/operation.ts';
import type { getRetention } from '../contract/retention.ts';
import type { rankMetrics } from '../contract/ranking.ts';
import type { postSamples } from '../contract/samples.ts';
import type { Result } from '../metric.ts';

/**
 * What the HTTP interface takes and answers: the types of the schemas from which the OpenAPI document is made. Only
 * types come from there, so that nothing of them is loaded.
 */

export type Learning = NonNullable<z.output<typeof learning>>;
export type MetricJson = z.output<typeof metric>;
export type RowJson = z.output<typeof row>;
export type BucketJson = z.output<typeof bucket>;
export type ModelJson = AnswerOf<typeof getModel>;
export type LikelihoodJson = AnswerOf<typeof getLikelihood>;
export type IntervalJson = z.output<typeof interval>;
export type RestartRequest = BodyOf<typeof restartModel>;
export type DoNotLearnRequest = BodyOf<typeof doNotLearn>;
export type RankingQuery = QueryOf<typeof rankMetrics>;
export type RetentionJson = AnswerOf<typeof getRetention>;
export type PassJson = NonNullable<RetentionJson['lastPass']>;
export type Ranking = AnswerOf<typeof rankMetrics>;
export type StatusJson = AnswerOf<typeof getStatus>;
export type MonitorRequest = BodyOf<typeof monitorMetric>;
export type ImportOutcome = AnswerOf<typeof importModels>['results'][number];
export type CreateModelRequest = BodyOf<typeof createModel>;
export type BulkRequest = BodyOf<typeof changeMany>;
export type BulkAnswer = AnswerOf<typeof changeMany>;
export type SamplesAnswer = AnswerOf<typeof postSamples>;

/** A spec goes from export to import as it is: only the engine knows what is in it. */
export type ModelSpecJson = Readonly<Record<string, unknown>>;

export interface SampleJson {
  readonly name: string;
  readonly value: number;
  /** Epoch seconds; without it the engine takes the present time. */
  readonly timestamp?: number;
}

/** Data of a `result` event. */
export type ResultJson = Omit<Result, 'metricId'> & { readonly uid: string };
