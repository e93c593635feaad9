import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import { hasCode, HtmEngineError } from '../errors.ts';
import { MetricStatus, statusName, type Metric, type TimeRange } from '../metric.ts';
import type { ModelChange, ModelCommand } from '../model-command.ts';
import { failureOf } from '../model-failure.ts';
import type { Catalogue, Relearning } from '../store/catalogue.ts';
import type { Retention } from '../store/retention.ts';
import { generationRequest, type ModelSettings } from './generation-request.ts';
import { checkModelSpec } from './model-spec.ts';
import { notFound, notMonitored } from './refusals.ts';
import type { SavedModels } from './saved-models.ts';
import type { SerialByKey } from './serial-by-key.ts';

/** How a model begins again. */
export type Restart = 'retry' | 'skip' | 'relearn';

export interface ModelControlParts {
  readonly catalogue: Pick<
    Catalogue,
    'getMetric' | 'retry' | 'skipRow' | 'changeModel' | 'relearn' | 'activate'
  >;
  readonly retention: Pick<Retention, 'deleteRows'>;
  readonly saved: SavedModels;
  readonly bus: Pick<Bus, 'wake'>;
  readonly log: Logger;
  readonly models: ModelSettings;
  /** Shared with whatever else is done to the same metric. */
  readonly serial: SerialByKey;
  readonly forgetModel: (metricId: string) => Promise<void>;
  readonly clearResults: (metricId: string) => Promise<void>;
  /** Is told the state after a generation was asked to open. */
  readonly opened: (metricId: string, status: MetricStatus) => void;
}

const RELEARNING: Relearning = { leaveOut: [], keepLeftOut: true, generation: null };
const LATEST_TIMESTAMP = 253_402_300_799; // 9999-12-31T23:59:59Z

/** What people do to a model that exists. Each is a few transactions: repeating one that was cut short finishes it. */
export class ModelControl {
  readonly #parts: ModelControlParts;

  constructor(parts: ModelControlParts) {
    this.#parts = parts;
  }

  /**
   * Lets a model begin again. `retry`: one in ERROR goes on from where it stood, with the same row. `skip`: likewise,
   * without the row at which it failed, which is recorded and gets no score. `relearn`: whatever
   * its state, the results go and a new generation of the same spec learns from the lowest stored row; what was left
   * out stays left out unless told otherwise.
   * @throws metric_not_found, metric_not_monitored, metric_status_changed (`retry` or `skip` of one that is not in
   *   ERROR), checkpoint_lost (`retry` or `skip` of one that nothing is left of), invalid_argument, overloaded
   */
  async restart(metricId: string, how: Restart, relearning: Partial<Relearning> = {}): Promise<void> {
    const { serial, log } = this.#parts;
    relearning.leaveOut?.forEach(checkTimes);
    await serial.run(metricId, () =>
      how === 'relearn'
        ? this.#relearn(metricId, { ...RELEARNING, ...relearning })
        : this.#retry(metricId, how),
    );
    log.info({ event: 'monitoring.model_restarted', metricId, how }, 'model is restarted');
  }

  /**
   * Gives the model a command: it takes effect after the last processed row, or after `afterRowid` if that is later.
   * @returns null if it is so already. @throws metric_not_found, metric_not_monitored, interval_learned, invalid_argument, overloaded
   */
  async change(metricId: string, change: ModelChange, afterRowid = 0): Promise<ModelCommand | null> {
    const { catalogue, log } = this.#parts;
    if (change.what === 'doNotLearn') checkTimes(change);
    const command = await catalogue.changeModel(metricId, change, afterRowid);
    if (command !== null)
      log.info({ event: 'monitoring.model_changed', metricId, ...command }, 'model is given a command');
    return command;
  }

  /**
   * Rows of these times are scored and not learned. With `relearn`, if any of them is learned already, a new generation
   * learns all rows but those and what was left out before.
   * @throws as `change`
   */
  async doNotLearn(metricId: string, times: TimeRange, relearn: boolean): Promise<void> {
    try {
      await this.change(metricId, { what: 'doNotLearn', ...times });
    } catch (error) {
      if (!relearn || !hasCode(error, 'interval_learned')) throw error;
      await this.restart(metricId, 'relearn', { leaveOut: [times] });
    }
  }

  /**
   * Deletes the rows of a time. Of a monitored metric only rows that nothing may ask for again; with `relearn` any: its
   * results go, too, and a new generation learns from what is left.
   * @returns how many. @throws metric_not_found, metric_not_monitored (`relearn`), rows_needed, invalid_argument
   */
  async deleteRows(metricId: string, times: TimeRange, relearn: boolean): Promise<number> {
    checkTimes(times);
    return this.#parts.serial.run(metricId, () => this.#deleteRows(metricId, times, relearn));
  }

  async #deleteRows(metricId: string, times: TimeRange, relearn: boolean): Promise<number> {
    const { retention, saved, log } = this.#parts;
    const metric = await this.#existing(metricId);
    const learnsAnew = relearn && metric.status !== MetricStatus.UNMONITORED;
    const { deletedRows, keptBy } = await retention.deleteRows({
      metricId,
      times,
      ...(await saved.ofGeneration(metricId)),
      relearn: learnsAnew ? this.#request(metric) : null,
    });
    if (keptBy !== null) {
      throw new HtmEngineError(
        'rows_needed',
        `rows of metric ${JSON.stringify(metric.name)} from ${times.fromTimestamp} to ${times.toTimestamp} are still needed (${keptBy}): let it learn anew without them (relearn), or end monitoring first`,
        { metricId, keptBy },
      );
    }
    log.info(
      { event: 'monitoring.rows_deleted', metricId, ...times, deletedRows, relearn: learnsAnew },
      'rows are deleted',
    );
    if (learnsAnew && deletedRows > 0) await this.#open(metricId);
    return deletedRows;
  }

  async #retry(metricId: string, how: 'retry' | 'skip'): Promise<void> {
    const { catalogue, bus, log } = this.#parts;
    await this.#refuseLost(metricId);
    const skipped = how === 'skip' ? await catalogue.skipRow(metricId) : null;
    if (skipped !== null)
      log.warn({ event: 'monitoring.row_skipped', metricId, rowid: skipped }, 'a row is left out of a model');
    if (skipped !== null || (how === 'retry' && (await catalogue.retry(metricId)))) {
      bus.wake('rowsStored', [metricId]);
      return;
    }
    const status = (await catalogue.getMetric(metricId))?.status ?? MetricStatus.UNMONITORED;
    throw new HtmEngineError(
      'metric_status_changed',
      `metric ${metricId} is ${statusName(status)}: only a model in ERROR can be tried again`,
      { status },
    );
  }

  /** A model that is lost would be so again, unless its checkpoints have been brought back meanwhile. */
  async #refuseLost(metricId: string): Promise<void> {
    const { status, message } = await this.#existing(metricId);
    if (status !== MetricStatus.ERROR || failureOf(message)?.reason !== 'checkpoint_lost') return;
    if (!(await this.#parts.saved.isLost(metricId))) return;
    throw new HtmEngineError(
      'checkpoint_lost',
      `metric ${metricId} has neither a usable saved model nor the rows to compute it from: only relearn can go on`,
      { metricId },
    );
  }

  async #relearn(metricId: string, relearning: Relearning): Promise<void> {
    const metric = await this.#existing(metricId);
    // From here on it is finished by the next start if it is cut short.
    if (await this.#parts.catalogue.relearn(metricId, this.#request(metric), relearning))
      await this.#open(metricId);
  }

  /** Lets a generation that was asked for begin: the old model and the old results go first. */
  async #open(metricId: string): Promise<void> {
    const { catalogue, forgetModel, clearResults, opened } = this.#parts;
    await forgetModel(metricId);
    await clearResults(metricId);
    opened(metricId, await catalogue.activate(metricId, 'firstRows'));
  }

  #request({ metricId, name, parameters }: Metric) {
    if (parameters === null) throw notMonitored(metricId);
    return generationRequest(checkModelSpec(JSON.parse(parameters)), name, this.#parts.models);
  }

  async #existing(metricId: string): Promise<Metric> {
    const metric = await this.#parts.catalogue.getMetric(metricId);
    if (metric === null) throw notFound(`no metric has the id ${metricId}`);
    return metric;
  }
}

/** @throws HtmEngineError `invalid_argument` */
function checkTimes({ fromTimestamp, toTimestamp }: TimeRange): void {
  const isTime = (time: number) => Number.isInteger(time) && time >= 0 && time <= LATEST_TIMESTAMP;
  if (isTime(fromTimestamp) && isTime(toTimestamp) && fromTimestamp <= toTimestamp) return;
  throw new HtmEngineError(
    'invalid_argument',
    `an interval from ${fromTimestamp} to ${toTimestamp}: both must be whole epoch seconds up to ${LATEST_TIMESTAMP}, the first not after the last`,
  );
}
