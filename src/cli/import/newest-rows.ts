import { HtmEngineError } from '../../errors.ts';
import type { EngineClient } from '../../client/engine-client.ts';
import { patiently, type PatienceOptions } from '../../client/patience.ts';

/** Why a sample need not be sent. */
export type Passed = 'stored' | 'duplicate' | 'older';

interface Newest {
  /** Time of the newest row the engine had when the metric was first met, epoch seconds. */
  readonly stored: number;
  /** Time of the last sample let through. */
  last: number;
}

const LOOKUPS_AT_A_TIME = 8;
/** What is kept for each metric is small, but a file may hold any number of them. */
const MAX_METRICS = 200_000;

/** Knows of each metric where the engine's rows end, so that an import goes on from there. */
export class NewestRows {
  readonly #client: Pick<EngineClient, 'findMetric'>;
  readonly #patience: PatienceOptions;
  readonly #newest = new Map<string, Newest>();

  constructor(client: Pick<EngineClient, 'findMetric'>, patience: PatienceOptions) {
    this.#client = client;
    this.#patience = patience;
  }

  /** The metrics met so far. */
  get metrics(): number {
    return this.#newest.size;
  }

  /** Asks the engine for those of these metrics that were not met yet. @throws HtmEngineError */
  async meet(names: Iterable<string>): Promise<void> {
    const unknown = Array.from(new Set(names)).filter((name) => !this.#newest.has(name));
    if (this.#newest.size + unknown.length > MAX_METRICS)
      throw new HtmEngineError(
        'invalid_argument',
        `the file holds more than ${MAX_METRICS} metrics: import it in parts`,
      );
    for (let i = 0; i < unknown.length; i += LOOKUPS_AT_A_TIME) {
      await Promise.all(unknown.slice(i, i + LOOKUPS_AT_A_TIME).map((name) => this.#meet(name)));
    }
  }

  /** Why a sample of a metric that was met is not to be sent, or null where it is; times of one metric must rise. */
  pass(name: string, timestamp: number): Passed | null {
    const newest = this.#newest.get(name);
    if (newest === undefined) throw new Error(`${name} was not met`);
    if (timestamp <= newest.stored) return 'stored';
    if (timestamp === newest.last) return 'duplicate';
    if (timestamp < newest.last) return 'older';
    newest.last = timestamp;
    return null;
  }

  async #meet(name: string): Promise<void> {
    const { answer } = await patiently(() => this.#client.findMetric(name), this.#patience);
    const stored = answer?.lastTimestamp ?? -Infinity;
    this.#newest.set(name, { stored, last: stored });
  }
}
