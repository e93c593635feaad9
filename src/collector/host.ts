import type { Bus } from '../bus/bus.ts';
import { hasCode } from '../errors.ts';
import { toSample, type Sample } from '../metric.ts';
import type { Telemetry } from '../telemetry.ts';
import { hostGauges, type HostGauge, type HostMetric, type Reading } from './gauges.ts';
import type { HostReaders } from './readers.ts';

/** The clocks of a machine. */
export interface HostClock {
  /** Seconds since 1970, with fractions. */
  readonly nowSeconds: () => number;
  /** Seconds on a clock that is never set. */
  readonly monotonicSeconds: () => number;
}

export interface HostCollectorOptions {
  readonly bus: Pick<Bus, 'publishSamples'>;
  readonly telemetry: Telemetry;
  readonly readers: HostReaders;
  /** Samples are taken at times that are multiples of it. Whole, >= 1. */
  readonly intervalSeconds: number;
  readonly clock?: HostClock;
}

const SYSTEM_CLOCK: HostClock = {
  nowSeconds: () => Date.now() / 1000,
  monotonicSeconds: () => performance.now() / 1000,
};

/** Feeds this machine's own processor, load, memory, disk and network in, the way a listener would. */
export class HostCollector {
  readonly #options: HostCollectorOptions;
  readonly #clock: HostClock;
  readonly #gauges: readonly HostGauge[];
  /** What fails at present: told once, not every few seconds. */
  readonly #failing = new Set<string>();
  #lastTimestamp = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: HostCollectorOptions) {
    this.#options = options;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#gauges = hostGauges(options.readers, this.#clock.monotonicSeconds);
  }

  /** The metrics that are collected on this machine. */
  async metrics(): Promise<HostMetric[]> {
    return (await Promise.all(this.#gauges.map(({ metrics }) => metrics()))).flat();
  }

  /** Begins; the first samples are those of the next whole interval. */
  async start(): Promise<void> {
    this.#lastTimestamp = this.#alignedNow();
    // What is the difference of two readings needs a first one.
    await this.#measure(this.#lastTimestamp);
    this.#schedule();
  }

  /** Ends: nothing more is published. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** The present time, cut to a whole interval. */
  #alignedNow(): number {
    const { intervalSeconds } = this.#options;
    return Math.floor(this.#clock.nowSeconds() / intervalSeconds) * intervalSeconds;
  }

  #schedule(): void {
    if (this.#stopped) return;
    const waitSeconds = this.#alignedNow() + this.#options.intervalSeconds - this.#clock.nowSeconds();
    this.#timer = setTimeout(() => {
      // An interval that passes while samples wait for the bus is left out.
      void this.#collect().finally(() => this.#schedule());
    }, waitSeconds * 1000);
  }

  async #collect(): Promise<void> {
    const timestamp = this.#alignedNow();
    // The timer was early, or the clock was set back.
    if (timestamp <= this.#lastTimestamp) return;
    this.#lastTimestamp = timestamp;
    const samples = await this.#measure(timestamp);
    if (this.#stopped || samples.length === 0) return;
    await this.#attempt('publication', () => this.#options.bus.publishSamples(samples));
  }

  /** The present values of all gauges but those that fail. */
  async #measure(timestamp: number): Promise<Sample[]> {
    const measured = this.#gauges.map(({ label, read }) =>
      this.#attempt(label, async () => (await read()).map((reading) => sampleOf(reading, timestamp))),
    );
    return (await Promise.all(measured)).flatMap((samples) => samples ?? []);
  }

  /** What `action` resolves to, or null if it fails; logged the first time in a row that it does. */
  async #attempt<T>(label: string, action: () => Promise<T>): Promise<T | null> {
    try {
      const result = await action();
      this.#failing.delete(label);
      return result;
    } catch (error) {
      if (!this.#failing.has(label) && !hasCode(error, 'stopped')) {
        this.#options.telemetry.log.warn(
          { event: 'collector.failed', what: label, err: error },
          'collecting from this machine failed; trying again every interval',
        );
      }
      this.#failing.add(label);
      return null;
    }
  }
}

function sampleOf({ name, value }: Reading, timestamp: number): Sample {
  const { sample, refused } = toSample(name, value, timestamp, timestamp);
  if (sample === undefined) throw new Error(`${name} was measured as ${value}: ${refused}`);
  return sample;
}
