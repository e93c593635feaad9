import { z } from 'zod';
import type { Bus } from '../bus/bus.ts';
import { HtmEngineError, hasCode } from '../errors.ts';
import { MetricStatus, toSample, type Sample } from '../metric.ts';
import type { Catalogue } from '../store/catalogue.ts';
import type { Queries } from '../store/queries.ts';
import { checkModelSpec, type ModelSpec } from './model-spec.ts';
import type { Monitoring } from './monitoring.ts';

/** A spec with the newest rows of its metric (system reference 5.6). */
export interface ExportedModel extends ModelSpec {
  /** `[value, "YYYY-MM-DD HH:MM:SS" UTC]` in the order of time; a number in the place of the time is epoch seconds. */
  readonly data?: readonly (readonly [value: number, time: string | number])[];
}

export interface ImportedModel {
  readonly metricId: string;
  /** A metric that is monitored already is left as it is. */
  readonly outcome: 'monitored' | 'already_monitored';
}

/** How far back an export's rows go. */
const EXPORTED_SECONDS = 14 * 86_400;
const PAGE_ROWS = 10_000;
const importedData = z.array(z.tuple([z.number(), z.union([z.number(), z.string()])])).max(1_000_000);
const TIME = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)Z?$/;

export interface ModelTransferOptions {
  readonly catalogue: Pick<Catalogue, 'getMetric' | 'createMetric'>;
  readonly queries: Pick<Queries, 'readData'>;
  readonly bus: Pick<Bus, 'publishSamples'>;
  readonly monitoring: Pick<Monitoring, 'monitorMetric'>;
  readonly nowSeconds: () => number;
}

/** Models out of this engine and into it: their specs, and rows to learn from. */
export class ModelTransfer {
  readonly #options: ModelTransferOptions;

  constructor(options: ModelTransferOptions) {
    this.#options = options;
  }

  /** The spec of a monitored metric and its rows of the last 14 days. @throws metric_not_found, metric_not_monitored */
  async exportModel(metricId: string): Promise<ExportedModel> {
    const { catalogue, queries, nowSeconds } = this.#options;
    const metric = await catalogue.getMetric(metricId);
    if (metric === null) throw new HtmEngineError('metric_not_found', `no metric has the id ${metricId}`);
    if (metric.parameters === null) {
      throw new HtmEngineError(
        'metric_not_monitored',
        `metric ${JSON.stringify(metric.name)} is not monitored: there is no model to export`,
      );
    }
    const data: [number, string][] = [];
    const fromTimestamp = nowSeconds() - EXPORTED_SECONDS;
    for (let afterRowid = 0; ;) {
      const rows = await queries.readData(metricId, { fromTimestamp, afterRowid, limit: PAGE_ROWS });
      for (const { value, timestamp } of rows) data.push([value, timeText(timestamp)]);
      if (rows.length < PAGE_ROWS) break;
      afterRowid = rows.at(-1)?.rowid ?? afterRowid;
    }
    return { ...(JSON.parse(metric.parameters) as ModelSpec), data };
  }

  /**
   * Monitors a metric as a spec says, which may bring the rows of a metric that has none yet.
   * @throws as `Monitoring.monitorMetric`; invalid_argument for data that breaks the rules of samples: then nothing was done
   */
  async importModel(given: unknown): Promise<ImportedModel> {
    const { catalogue, bus, monitoring } = this.#options;
    const { data, spec } = withoutData(given);
    const { metric: name } = checkModelSpec(spec).metricSpec;
    if (name === undefined) {
      throw new HtmEngineError('invalid_argument', 'model spec: metricSpec.metric must name the metric', {
        path: 'metricSpec.metric',
      });
    }
    const samples = this.#samples(name, data);
    const { metricId } = await catalogue.createMetric(name);
    const metric = await catalogue.getMetric(metricId);
    if (metric !== null && metric.status !== MetricStatus.UNMONITORED) {
      return { metricId, outcome: 'already_monitored' };
    }
    for (let start = 0; metric?.lastRowid === 0 && start < samples.length; start += PAGE_ROWS) {
      await bus.publishSamples(samples.slice(start, start + PAGE_ROWS));
    }
    try {
      return { metricId: await monitoring.monitorMetric(spec), outcome: 'monitored' };
    } catch (error) {
      if (!hasCode(error, 'metric_already_monitored')) throw error;
      return { metricId, outcome: 'already_monitored' };
    }
  }

  #samples(name: string, data: unknown): Sample[] {
    const read = importedData.safeParse(data);
    if (!read.success) {
      const [issue] = read.error.issues;
      throw dataError(`data.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`);
    }
    const now = this.#options.nowSeconds();
    return read.data.map(([value, time], i) => {
      const { sample, refused } = toSample(
        name,
        value,
        typeof time === 'number' ? time : secondsOf(time),
        now,
      );
      if (sample === undefined) throw dataError(`data.${i}: ${refused}`);
      return sample;
    });
  }
}

/** A spec and the data beside it. What the spec must be is checked with it. */
function withoutData(given: unknown): { data: unknown; spec: unknown } {
  if (typeof given !== 'object' || given === null) return { data: [], spec: given };
  const { data = [], ...spec } = given as { readonly data?: unknown };
  return { data, spec };
}

function dataError(what: string): HtmEngineError {
  return new HtmEngineError(
    'invalid_argument',
    `model spec: ${what}: data must be a list of [value, "YYYY-MM-DD HH:MM:SS"]`,
    { path: 'data' },
  );
}

function timeText(timestamp: number): string {
  return new Date(timestamp * 1000).toISOString().slice(0, 19).replace('T', ' ');
}

/** NaN for what is no time. */
function secondsOf(text: string): number {
  const [, day, time] = TIME.exec(text) ?? [];
  return day === undefined || time === undefined ? Number.NaN : Date.parse(`${day}T${time}Z`) / 1000;
}
