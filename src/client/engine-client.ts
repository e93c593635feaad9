import { type ClientOptions, Http, refusedWith } from './http.ts';
import type {
  BucketJson,
  BulkAnswer,
  BulkRequest,
  CreateModelRequest,
  DoNotLearnRequest,
  ImportOutcome,
  IntervalJson,
  LikelihoodJson,
  MetricJson,
  ModelJson,
  ModelSpecJson,
  MonitorRequest,
  Ranking,
  RankingQuery,
  RestartRequest,
  RetentionJson,
  RowJson,
  SampleJson,
  SamplesAnswer,
  StatusJson,
} from './types.ts';

/** Metrics or rows that are asked for at a time. */
const PAGE_METRICS = 1000;
const PAGE_ROWS = 10_000;
/** Names in one request for specs: they are part of its address, whose length is limited. */
const NAMES_PER_EXPORT = 20;
/** Specs that are imported with one request, and their characters of JSON: a body has at most 2 MiB. One alone may have more. */
const SPECS_PER_IMPORT = 50;
const CHARACTERS_PER_IMPORT = 1_000_000;

export interface RowSelection {
  /** Inclusive bounds in epoch seconds. */
  readonly from?: number;
  readonly to?: number;
}

/** The engine's HTTP interface, typed. Every method throws what `Http` throws. */
export class EngineClient {
  readonly http: Http;

  /** @throws HtmEngineError `invalid_argument` */
  constructor(url: string, options: ClientOptions = {}) {
    this.http = new Http(url, options);
  }

  /** Resolves if an engine answers. */
  async check(): Promise<void> {
    await this.http.json('/api/v1/metrics?limit=1');
  }

  /** Pages of all metrics in byte order of their names. @param recent how many of their last scores to bring along. */
  async *metricPages(recent = 0): AsyncGenerator<readonly MetricJson[]> {
    let after: string | null = '';
    while (after !== null) {
      const query: string = queryOf({ after, limit: PAGE_METRICS, recent: recent || undefined });
      const page: { metrics: MetricJson[]; next: string | null } = await this.http.json(
        `/api/v1/metrics${query}`,
      );
      yield page.metrics;
      after = page.next;
    }
  }

  metric(name: string, recent = 0): Promise<MetricJson> {
    return this.http.json(`${metricPath(name)}${queryOf({ recent: recent || undefined })}`);
  }

  /** As `metric`, null where there is none. */
  async findMetric(name: string): Promise<MetricJson | null> {
    try {
      return await this.metric(name);
    } catch (error) {
      if (refusedWith(error, 'metric_not_found')) return null;
      throw error;
    }
  }

  /** Monitored metrics, the most anomalous first. */
  ranking(query: RankingQuery = {}): Promise<Ranking> {
    return this.http.json(`/api/v1/ranking${queryOf(query)}`);
  }

  status(): Promise<StatusJson> {
    return this.http.json('/api/v1/status');
  }

  /** Another name for a metric, which keeps its uid, rows and model. */
  renameMetric(name: string, to: string): Promise<MetricJson> {
    return this.http.json(`${metricPath(name)}/rename`, { method: 'POST', body: { to } });
  }

  /** The same change for every metric that a pattern names; `next` says how to go on. */
  changeMany(request: BulkRequest): Promise<BulkAnswer> {
    return this.http.json('/api/v1/bulk', { method: 'POST', body: request });
  }

  createMetric(name: string): Promise<MetricJson> {
    return this.http.json('/api/v1/metrics', { method: 'POST', body: { name } });
  }

  async deleteMetric(name: string): Promise<void> {
    await this.http.send(metricPath(name), { method: 'DELETE' });
  }

  /** Pages of a metric's rows, oldest first. */
  async *rowPages(name: string, selection: RowSelection): AsyncGenerator<readonly RowJson[]> {
    for (let afterRowid = 0; ;) {
      const rows = await this.#rows(name, { ...selection, afterRowid, limit: PAGE_ROWS });
      if (rows.length > 0) yield rows;
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE_ROWS) return;
      afterRowid = last.rowid;
    }
  }

  /** The last rows of a metric, oldest first. @param count 1..100,000 */
  async lastRows(name: string, count: number): Promise<RowJson[]> {
    return (await this.#rows(name, { limit: count, order: 'desc' })).reverse();
  }

  /** The rows down-sampled to at most `buckets` (1..10,000), with every peak. */
  async buckets(name: string, buckets: number, selection: RowSelection = {}): Promise<BucketJson[]> {
    const path = `${metricPath(name)}/buckets${queryOf({ buckets, ...selection })}`;
    return (await this.http.json<{ buckets: BucketJson[] }>(path)).buckets;
  }

  model(name: string): Promise<ModelJson> {
    return this.http.json(modelPath(name));
  }

  monitor(name: string, request: MonitorRequest): Promise<MetricJson> {
    return this.http.json(modelPath(name), { method: 'PUT', body: request });
  }

  async unmonitor(name: string): Promise<void> {
    await this.http.send(modelPath(name), { method: 'DELETE' });
  }

  activate(name: string): Promise<MetricJson> {
    return this.http.json(modelPath(name, 'activate'), { method: 'POST', body: {} });
  }

  /** How its raw scores are distributed, and what the next is held against. */
  likelihood(name: string): Promise<LikelihoodJson> {
    return this.http.json(modelPath(name, 'likelihood'));
  }

  /** `retry`: the row that failed once more; `skip`: without that row; `relearn`: everything from the first row on. */
  restart(
    name: string,
    how: RestartRequest['how'],
    options: Omit<RestartRequest, 'how'> = {},
  ): Promise<MetricJson> {
    return this.http.json(modelPath(name, 'restart'), { method: 'POST', body: { how, ...options } });
  }

  /** Switches learning on or off, from the next row on. */
  setLearning(name: string, on: boolean): Promise<ModelJson> {
    return this.http.json(modelPath(name, 'learning'), { method: 'PUT', body: { on } });
  }

  /** Leaves an interval (epoch seconds, inclusive) unlearned; with `relearn` also one that is learned already. */
  doNotLearn(name: string, request: DoNotLearnRequest): Promise<ModelJson> {
    return this.http.json(modelPath(name, 'do-not-learn'), { method: 'POST', body: request });
  }

  /** The next row begins a new sequence. */
  resetModel(name: string): Promise<ModelJson> {
    return this.http.json(modelPath(name, 'reset'), { method: 'POST', body: {} });
  }

  /** Deletes the rows of an interval (epoch seconds, inclusive); with `relearn` also those that the model needs. @returns how many */
  async deleteRows(name: string, interval: IntervalJson, relearn = false): Promise<number> {
    const path = `${metricPath(name)}/data${queryOf({ ...interval, relearn: String(relearn) })}`;
    return (await this.http.json<{ deletedRows: number }>(path, { method: 'DELETE' })).deletedRows;
  }

  clone(name: string, to: string, rows: boolean): Promise<MetricJson> {
    return this.http.json(modelPath(name, 'clone'), { method: 'POST', body: { to, rows } });
  }

  /** Specs of the models of these metrics, or of all; with `data` also their rows of the last 14 days. */
  async exportModels(names: readonly string[] | null, data = false): Promise<ModelSpecJson[]> {
    const parts = names === null ? [[]] : chunks(names, NAMES_PER_EXPORT);
    const models: ModelSpecJson[] = [];
    for (const batch of parts) {
      const path = `/api/v1/models/export${queryOf({ name: batch, data: data ? 'true' : undefined })}`;
      models.push(...(await this.http.json<{ models: ModelSpecJson[] }>(path)).models);
    }
    return models;
  }

  /** Monitors the metric that a model spec names, by its name or its uid. @returns its uid */
  async createModel(spec: CreateModelRequest): Promise<string> {
    return (await this.http.json<{ uid: string }>('/api/v1/models', { method: 'POST', body: spec })).uid;
  }

  async importModels(models: readonly unknown[]): Promise<ImportOutcome[]> {
    const outcomes: ImportOutcome[] = [];
    for (const body of batches(models)) {
      const answer = await this.http.json<{ results: ImportOutcome[] }>('/api/v1/models/import', {
        method: 'POST',
        body,
      });
      outcomes.push(...answer.results);
    }
    return outcomes;
  }

  retention(): Promise<RetentionJson> {
    return this.http.json('/api/v1/retention');
  }

  /** Begins to purge rows that are too old. */
  beginPurge(): Promise<RetentionJson> {
    return this.http.json('/api/v1/retention/run', { method: 'POST', body: {} });
  }

  /** @param maxAgeSeconds 0 for ever, null for the engine's setting. */
  async setMaxAge(name: string, maxAgeSeconds: number | null): Promise<void> {
    await this.http.json(`${metricPath(name)}/retention`, { method: 'PUT', body: { maxAgeSeconds } });
  }

  /** Stores samples; `problems` name those that were refused by their position, from 1. */
  sendSamples(samples: readonly SampleJson[]): Promise<SamplesAnswer> {
    return this.http.json('/api/v1/samples', {
      method: 'POST',
      contentType: 'application/x-ndjson',
      body: samples.map((sample) => `${JSON.stringify(sample)}\n`).join(''),
    });
  }

  async #rows(name: string, query: QueryValues): Promise<RowJson[]> {
    const answer = await this.http.json<{ rows: RowJson[] }>(`${metricPath(name)}/data${queryOf(query)}`);
    return answer.rows;
  }
}

function metricPath(name: string): string {
  return `/api/v1/metrics/${encodeURIComponent(name)}`;
}

function modelPath(name: string, action?: string): string {
  return `${metricPath(name)}/model${action === undefined ? '' : `/${action}`}`;
}

type QueryValues = Readonly<Record<string, string | number | readonly string[] | undefined>>;

function queryOf(values: QueryValues): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined) continue;
    for (const one of typeof value === 'object' ? value : [value]) query.append(key, String(one));
  }
  return query.size === 0 ? '' : `?${query.toString()}`;
}

/** Models in the order in which they came, as many at a time as one request takes. */
function batches(models: readonly unknown[]): unknown[][] {
  const found: unknown[][] = [];
  let characters = 0;
  for (const model of models) {
    const { length } = JSON.stringify(model);
    const last = found.at(-1);
    characters += length;
    if (last !== undefined && last.length < SPECS_PER_IMPORT && characters <= CHARACTERS_PER_IMPORT) {
      last.push(model);
    } else {
      found.push([model]);
      characters = length;
    }
  }
  return found;
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}
