import { Counter } from 'prom-client';
import type { Bus, SampleDelivery, SampleRefusal } from '../bus/bus.ts';
import { hasCode } from '../errors.ts';
import type { AutomaticRequest } from '../generation.ts';
import { MetricStatus } from '../metric.ts';
import type { ScoringLag } from '../lag.ts';
import type { RefusalCounter } from '../refusals.ts';
import type { AppendOptions, AppendOutcome, Log } from '../store/log.ts';
import type { Telemetry } from '../telemetry.ts';
import { groupByMetric, refusalsByDelivery, type MetricGroup } from './grouping.ts';

export interface MetricStorerOptions {
  readonly bus: Pick<Bus, 'consumeSamples' | 'wake'>;
  readonly log: Pick<Log, 'appendSamples'>;
  readonly refusals: Pick<RefusalCounter, 'count'>;
  readonly telemetry: Telemetry;
  readonly lag: Pick<ScoringLag, 'stored'>;
  /** What metrics that are created here are monitored with from their first row on, or null to leave them unmonitored. */
  readonly autoMonitor: AutomaticRequest | null;
  /**
   * Told which waiting metrics have enough rows to open their generation; must neither wait nor throw. What it is
   * told is a hint like any wake-up: whoever opens generations also looks for itself now and then.
   */
  readonly activate: (metricIds: readonly string[]) => void;
}

/**
 * The second stage: takes samples from the bus and makes rows of them (T0), those of many metrics in one
 * transaction and each metric's in their order, then wakes the scheduler for the metrics that have a model. System
 * reference, section 3. It holds nothing: closing the bus ends it.
 */
export class MetricStorer {
  readonly #options: MetricStorerOptions;
  readonly #appendOptions: AppendOptions;
  readonly #instruments: ReturnType<typeof createInstruments>;

  constructor(options: MetricStorerOptions) {
    this.#options = options;
    this.#appendOptions = options.autoMonitor === null ? {} : { autoMonitor: options.autoMonitor };
    this.#instruments = createInstruments(options.telemetry);
  }

  async start(): Promise<void> {
    await this.#options.bus.consumeSamples((deliveries) => this.#store(deliveries));
  }

  /** Stores all deliveries or none. @throws as `Log.appendSamples` */
  async #store(deliveries: readonly SampleDelivery[]): Promise<SampleRefusal[][]> {
    const groups = groupByMetric(deliveries);
    const { outcomes, repeated } = await this.#append(groups);
    if (outcomes.length !== groups.length) throw new Error('the log owes one outcome per entry');
    const refused = refusalsByDelivery(groups, outcomes, deliveries.length);
    this.#count(deliveries, refused, repeated);
    this.#wake(groups, outcomes, repeated);
    return refused;
  }

  /** T0. Repeats it once if its outcome is unknown: what had been stored after all is refused then. */
  async #append(groups: readonly MetricGroup[]): Promise<{ outcomes: AppendOutcome[]; repeated: boolean }> {
    // Where the samples came from stays here: what a log is given is copied to its thread.
    const batches = groups.map(({ name, timestamps, values }) => ({ name, timestamps, values }));
    const append = () => this.#options.log.appendSamples(batches, this.#appendOptions);
    try {
      return { outcomes: await append(), repeated: false };
    } catch (error) {
      if (hasCode(error, 'store_unavailable') || hasCode(error, 'stopped')) throw error;
      this.#options.telemetry.log.warn(
        { event: 'storer.append_repeated', err: error },
        'it is not known whether samples were stored; storing them again',
      );
      return { outcomes: await append(), repeated: true };
    }
  }

  #count(
    deliveries: readonly SampleDelivery[],
    refused: readonly SampleRefusal[][],
    repeated: boolean,
  ): void {
    const { stored, batches, redelivered } = this.#instruments;
    batches.inc();
    deliveries.forEach((delivery, i) => {
      const refusals = refused[i] ?? [];
      stored.inc(delivery.samples.length - refusals.length);
      // What is delivered again is expected to be there already.
      if (repeated || delivery.redelivered) redelivered.inc(refusals.length);
      else this.#countRefusals(delivery, refusals);
    });
  }

  #countRefusals({ samples }: SampleDelivery, refusals: readonly SampleRefusal[]): void {
    for (const reason of ['duplicate', 'older'] as const) {
      const those = refusals.filter((refusal) => refusal.reason === reason);
      const example = samples[those[0]?.index ?? -1];
      if (example === undefined) continue;
      this.#options.refusals.count(
        reason,
        those.length,
        `${example.name} ${example.value} ${example.timestamp}`,
      );
    }
  }

  #wake(groups: readonly MetricGroup[], outcomes: readonly AppendOutcome[], repeated: boolean): void {
    const withModel = new Set<string>();
    const ready = new Set<string>();
    outcomes.forEach(({ metricId, status, lastRowid, refused, readyToActivate }, i) => {
      const stored = repeated || (groups[i]?.timestamps.length ?? 0) > refused.length;
      const hasModel = status === MetricStatus.ACTIVE || status === MetricStatus.CREATE_PENDING;
      if (stored && hasModel) {
        withModel.add(metricId);
        this.#options.lag.stored(metricId, lastRowid);
      }
      if (readyToActivate) ready.add(metricId);
    });
    if (withModel.size > 0) this.#options.bus.wake('rowsStored', Array.from(withModel));
    if (ready.size > 0) this.#options.activate(Array.from(ready));
  }
}

function createInstruments({ registry }: Telemetry) {
  const registers = [registry];
  return {
    stored: new Counter({
      name: 'htmengine_storer_samples_total',
      help: 'Samples that became rows',
      registers,
    }),
    batches: new Counter({
      name: 'htmengine_storer_batches_total',
      help: 'Transactions in which samples became rows (T0)',
      registers,
    }),
    redelivered: new Counter({
      name: 'htmengine_storer_redelivered_samples_total',
      help: 'Samples that were delivered or written again and were stored already',
      registers,
    }),
  };
}
