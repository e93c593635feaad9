import { HtmEngineError } from '../../errors.ts';
import type { GenerationRequest } from '../../generation.ts';
import type { ModelChange, ModelCommand } from '../../model-command.ts';
import { checkName, MAX_NAME_CHARACTERS, type Metric, type MetricStatus } from '../../metric.ts';
import type { Catalogue, MetricCopy, Relearning } from '../catalogue.ts';
import { checkLimit } from './bounds.ts';
import { changeModel, checkChange, checkTimes, skipRow } from './commands.ts';
import { abandonCopies, beginCopy, copyRows, finishCopy } from './copying.ts';
import { discardMetric, removeDiscarded } from './discarding.ts';
import { checkRequest } from './generations.ts';
import { takeLeases } from './leases.ts';
import { createMetrics, selectMetric } from './metrics.ts';
import { activate, clearResults, monitor, unmonitor } from './monitoring.ts';
import { renameMetric } from './renaming.ts';
import { relearn, retry } from './restarting.ts';
import { repartition } from './repartitioning.ts';
import type { Session, SqlDialect } from './session.ts';
import { metricsToActivate, metricsToClear } from './sweeps.ts';

/** The catalogue in an SQL database. */
export class SqlCatalogue implements Catalogue {
  readonly #session: Session;
  readonly #dialect: SqlDialect;
  readonly #partitions: number;

  constructor(session: Session, dialect: SqlDialect, partitions: number) {
    this.#session = session;
    this.#dialect = dialect;
    this.#partitions = partitions;
  }

  partitions(): Promise<number> {
    return Promise.resolve(this.#partitions);
  }

  repartition(partitions: number): Promise<number> {
    return this.#session.write((db) => repartition(db, this.#dialect, partitions));
  }

  async createMetric(name: string): Promise<{ metricId: string; created: boolean }> {
    refuseName(name);
    let before: string | undefined;
    return this.#session.write(async (db) => {
      const existing = await selectMetric(db, { name });
      if (existing !== null) return { metricId: existing.metricId, created: existing.metricId === before };
      const [created] = await createMetrics(db, this.#partitions, [name]);
      if (created === undefined) throw new Error(`metric ${name} was not created`);
      before = created.uid;
      return { metricId: created.uid, created: true };
    });
  }

  getMetric(metricId: string): Promise<Metric | null> {
    return this.#session.query((db) => selectMetric(db, { uid: metricId }));
  }

  findMetric(name: string): Promise<Metric | null> {
    return this.#session.query((db) => selectMetric(db, { name }));
  }

  async renameMetric(metricId: string, name: string): Promise<void> {
    refuseName(name);
    await this.#session.write((db) => renameMetric(db, metricId, name));
  }

  async monitor(metricId: string, request: GenerationRequest): Promise<MetricStatus> {
    checkRequest(request);
    return this.#session.write((db, attempt) => monitor(db, metricId, request, attempt));
  }

  activate(metricId: string, rows: 'firstRows' | 'allRows'): Promise<MetricStatus> {
    return this.#session.write((db) => activate(db, metricId, rows));
  }

  async metricsToActivate(afterMetricId: string, limit: number): Promise<string[]> {
    checkLimit(limit);
    return this.#session.query((db) => metricsToActivate(db, afterMetricId, limit));
  }

  unmonitor(metricId: string): Promise<boolean> {
    return this.#session.write((db) => unmonitor(db, metricId));
  }

  retry(metricId: string): Promise<boolean> {
    return this.#session.write((db) => retry(db, metricId));
  }

  skipRow(metricId: string): Promise<number | null> {
    return this.#session.write((db, attempt) => skipRow(db, metricId, attempt));
  }

  async changeModel(metricId: string, change: ModelChange, afterRowid: number): Promise<ModelCommand | null> {
    checkChange(change, afterRowid);
    return this.#session.write((db, attempt) => changeModel(db, metricId, change, afterRowid, attempt));
  }

  async relearn(metricId: string, request: GenerationRequest, relearning: Relearning): Promise<boolean> {
    checkRequest(request);
    relearning.leaveOut.forEach(checkTimes);
    return this.#session.write((db) => relearn(db, metricId, request, relearning));
  }

  beginCopy(metricId: string): Promise<MetricCopy> {
    return this.#session.write((db) => beginCopy(db, this.#partitions, metricId));
  }

  async copyRows(copy: MetricCopy, limit: number): Promise<boolean> {
    checkLimit(limit);
    return this.#session.write((db) => copyRows(db, copy, limit));
  }

  async finishCopy(copy: MetricCopy, name: string): Promise<MetricStatus> {
    refuseName(name);
    return this.#session.write((db) => finishCopy(db, this.#partitions, copy, name));
  }

  abandonCopies(copyId?: string): Promise<void> {
    return this.#session.write((db) => abandonCopies(db, copyId));
  }

  async clearResults(metricId: string, limit: number): Promise<boolean> {
    checkLimit(limit);
    return this.#session.write((db) => clearResults(db, metricId, limit));
  }

  async metricsToClear(limit: number): Promise<string[]> {
    checkLimit(limit);
    return this.#session.query((db) => metricsToClear(db, limit));
  }

  discardMetric(metricId: string): Promise<void> {
    return this.#session.write((db) => discardMetric(db, metricId));
  }

  async removeDiscarded(limit: number): Promise<boolean> {
    checkLimit(limit);
    return this.#session.write((db) => removeDiscarded(db, limit));
  }

  takeLeases(owner: string): Promise<number> {
    return this.#session.write((db) => takeLeases(db, owner));
  }
}

/** @throws HtmEngineError `invalid_metric_name` */
function refuseName(name: string): void {
  if (checkName(name) === null) return;
  throw new HtmEngineError(
    'invalid_metric_name',
    `not a metric name: ${JSON.stringify(name.slice(0, MAX_NAME_CHARACTERS))}; give 1 to ${MAX_NAME_CHARACTERS} characters without control characters`,
  );
}
