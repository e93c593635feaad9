import type { CheckpointStore } from '../checkpoints/checkpoint-store.ts';
import { HtmEngineError } from '../errors.ts';
import type { Json, LikelihoodConstants, ValueRange } from '../generation.ts';
import {
  type LikelihoodStanding,
  LikelihoodStateError,
  MovingAverage,
  StreamingLikelihood,
} from '../htm/index.ts';
import { MetricStatus, type TimeRange } from '../metric.ts';
import { isLearning, leftOutTimes, type ModelCommand } from '../model-command.ts';
import { type FailureReason, failureOf } from '../model-failure.ts';
import type { LearningProgress, MetricSummary, ModelDescription, Queries } from '../store/queries.ts';
import type { Restart } from './model-control.ts';
import { notFound } from './refusals.ts';

/** What a model takes of memory and CPU, as far as this process has seen it. */
export interface ModelCost {
  /** Whether it is loaded now. */
  readonly warm: boolean;
  readonly bytes: number;
  /** CPU time: to load or build it, of a row, to pack it for a checkpoint. */
  readonly loadMs: number;
  readonly rowMs: number | null;
  readonly saveMs: number | null;
}

/** Why a model is in ERROR. */
export interface FailureReport {
  readonly reason: FailureReason;
  readonly message: string;
  /** The row it failed at, as far as it is known and stored. */
  readonly row: { readonly rowid: number; readonly timestamp: number; readonly value: number } | null;
}

/** Everything there is to tell of a model. What the generation does not know before it opens is null. */
export interface ModelReport {
  readonly metricId: string;
  readonly name: string;
  readonly status: MetricStatus;
  readonly message: string | null;
  readonly failure: FailureReport | null;
  /** What may be asked for now. */
  readonly restarts: readonly Restart[];
  readonly generation: number;
  /** Which temporal memory, where the parameters tell. */
  readonly variant: string | null;
  readonly range: ValueRange | null;
  readonly resolution: number | null;
  readonly rows: number;
  readonly startRowid: number | null;
  readonly processedRowid: number | null;
  readonly scoredRowid: number | null;
  readonly backlogRowid: number;
  readonly learning: LearningProgress | null;
  /** Whether the next row is learned, unless its time is left out. */
  readonly learns: boolean;
  readonly leftOut: readonly TimeRange[];
  readonly commands: readonly ModelCommand[];
  readonly algorithmRevision: number;
  readonly likelihood: LikelihoodConstants;
  readonly distribution: LikelihoodStanding | null;
  readonly cost: ModelCost | null;
  readonly diskBytes: { readonly rows: number; readonly checkpoints: number };
  /** Newest first. */
  readonly checkpoints: readonly { readonly rowid: number }[];
  readonly parameters: Json | null;
  readonly spec: unknown;
}

/** The averaged raw scores that the next fit would see. */
export interface ScoreHistogram {
  readonly binWidth: number;
  /** From 0 on; an average on a border counts in the higher bin, 1 in the last. */
  readonly counts: readonly number[];
}

export interface LikelihoodReport {
  readonly metricId: string;
  readonly name: string;
  readonly generation: number;
  readonly learning: LearningProgress | null;
  readonly constants: LikelihoodConstants;
  readonly distribution: LikelihoodStanding | null;
  readonly histogram: ScoreHistogram;
}

export interface ModelReportsOptions {
  readonly queries: Pick<Queries, 'describeMetric' | 'describeModel' | 'readData'>;
  readonly checkpoints: Pick<CheckpointStore, 'list' | 'size'>;
  /** Null where this process has not seen it. */
  readonly costOf: (metricId: string) => ModelCost | null;
}

/** Of a row with its scores, measured on SQLite with rows of many metrics in turn (82 when new); no database tells it of one metric. */
const ROW_BYTES = 100;
const HISTOGRAM_BINS = 50;
/** What one query reads. */
const MAX_HISTORY_ROWS = 100_000;

/** Tells people everything about the models of metrics. */
export class ModelReports {
  readonly #options: ModelReportsOptions;

  constructor(options: ModelReportsOptions) {
    this.#options = options;
  }

  /** @throws metric_not_found, metric_not_monitored */
  async describe(name: string): Promise<ModelReport> {
    const { checkpoints, costOf } = this.#options;
    const { metric, model } = await this.#find(name);
    const { metricId, status, message } = metric;
    const saved = await checkpoints.list(metricId);
    const { range, resolution, startRowid, processedRowid, scoredRowid, backlogRowid } = model;
    return {
      metricId,
      name: metric.name,
      status,
      message,
      failure: await this.#failure(metric),
      restarts: restartsOf(metric),
      generation: model.generation,
      variant: variantOf(model.modelParams),
      range,
      resolution,
      rows: metric.rows,
      startRowid,
      processedRowid,
      scoredRowid,
      backlogRowid,
      learning: metric.learning,
      learns: isLearning(model.commands, processedRowid ?? 0),
      leftOut: leftOutTimes(model.commands),
      commands: model.commands,
      algorithmRevision: model.algorithmRevision,
      likelihood: model.likelihood,
      distribution: distributionOf(model),
      cost: costOf(metricId),
      diskBytes: { rows: metric.rows * ROW_BYTES, checkpoints: await checkpoints.size(metricId) },
      checkpoints: saved
        .filter(({ generation }) => generation === model.generation)
        .map(({ rowid }) => ({ rowid })),
      parameters: model.modelParams,
      spec: metric.spec === null ? null : (JSON.parse(metric.spec) as unknown),
    };
  }

  /** How the likelihood of a metric judges its raw scores. @throws metric_not_found, metric_not_monitored */
  async likelihood(name: string): Promise<LikelihoodReport> {
    const { metric, model } = await this.#find(name);
    return {
      metricId: metric.metricId,
      name: metric.name,
      generation: model.generation,
      learning: metric.learning,
      constants: model.likelihood,
      distribution: distributionOf(model),
      histogram: await this.#histogram(metric.metricId, model),
    };
  }

  async #find(name: string): Promise<{ metric: MetricSummary; model: ModelDescription }> {
    const { queries } = this.#options;
    const metric = await queries.describeMetric(name);
    if (metric === null) throw notFound(`there is no metric ${JSON.stringify(name)}`);
    const model = await queries.describeModel(metric.metricId);
    if (model !== null) return { metric, model };
    throw new HtmEngineError(
      'metric_not_monitored',
      `metric ${JSON.stringify(name)} is not monitored: monitor it first`,
      { metricId: metric.metricId },
    );
  }

  async #failure({ metricId, status, message }: MetricSummary): Promise<FailureReport | null> {
    const failure = status === MetricStatus.ERROR ? failureOf(message) : null;
    if (failure === null || message === null) return null;
    const { reason, rowid } = failure;
    const [row] =
      rowid === null
        ? []
        : await this.#options.queries.readData(metricId, { afterRowid: rowid - 1, limit: 1 });
    const isStored = row !== undefined && row.rowid === rowid;
    return {
      reason,
      message,
      row: isStored ? { rowid, timestamp: row.timestamp, value: row.value } : null,
    };
  }

  async #histogram(metricId: string, model: ModelDescription): Promise<ScoreHistogram> {
    const { historicWindowSize, averagingWindow, learningPeriod } = model.likelihood;
    const limit = Math.min(MAX_HISTORY_ROWS, historicWindowSize);
    const { startRowid } = model;
    const rows =
      startRowid === null
        ? []
        : (await this.#options.queries.readData(metricId, { limit, newestFirst: true })).reverse();
    const average = new MovingAverage(averagingWindow);
    const counts = new Array<number>(HISTOGRAM_BINS).fill(0);
    for (const { rowid, rawAnomalyScore } of rows) {
      if (rawAnomalyScore === null || startRowid === null) continue;
      const bin = Math.floor(average.next(rawAnomalyScore) * HISTOGRAM_BINS);
      if (rowid < startRowid + learningPeriod) continue;
      // Rounding of the running total may lead a little beyond 0 or 1.
      const within = Math.min(HISTOGRAM_BINS - 1, Math.max(0, bin));
      counts[within] = (counts[within] ?? 0) + 1;
    }
    return { binWidth: 1 / HISTOGRAM_BINS, counts };
  }
}

/** What may be asked for in the metric's state. */
function restartsOf({ status, message }: MetricSummary): readonly Restart[] {
  if (status !== MetricStatus.ERROR) return ['relearn'];
  const reason = failureOf(message)?.reason;
  if (reason === 'row') return ['retry', 'skip', 'relearn'];
  return reason === 'checkpoint_lost' ? ['relearn'] : ['retry', 'relearn'];
}

/** Null before the first fit, and where the state cannot be read: it is computed anew when the next row comes. */
function distributionOf({ likelihood, likelihoodState }: ModelDescription): LikelihoodStanding | null {
  if (likelihoodState === null) return null;
  try {
    return StreamingLikelihood.decodeState(likelihood, likelihoodState).standing;
  } catch (error) {
    if (error instanceof LikelihoodStateError) return null;
    throw error;
  }
}

/** Which temporal memory the parameters ask for, or null where they do not tell. */
function variantOf(modelParams: Json | null): string | null {
  if (typeof modelParams !== 'object' || modelParams === null || !('memory' in modelParams)) return null;
  const { memory } = modelParams;
  if (typeof memory !== 'object' || memory === null || !('variant' in memory)) return null;
  return typeof memory.variant === 'string' ? memory.variant : null;
}
