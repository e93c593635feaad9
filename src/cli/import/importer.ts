import type { EngineClient } from '../../client/engine-client.ts';
import { patiently, type PatienceOptions } from '../../client/patience.ts';
import type { SampleJson } from '../../client/types.ts';
import type { BadRows } from '../../csv/bad-rows.ts';
import { NewestRows } from './newest-rows.ts';

/** A sample and where it stands in the file. */
export interface ImportSample {
  readonly line: number;
  readonly sample: SampleJson & { readonly timestamp: number };
}

const BATCH_SAMPLES = 5000;
/** Of JSON, estimated from above; the engine takes 2 MiB. */
const BATCH_BYTES = 1_000_000;
const BYTES_PER_SAMPLE = 80;
const BYTES_PER_NAME_CHARACTER = 6;

/** What is wrong with a sample that is not sent for its time's sake. */
const WRONG_ORDER = {
  duplicate: 'its time is the same second as that of the row before of its metric',
  older: 'its time is before that of the row before of its metric',
} as const;
/** Refusals that only mean that an earlier attempt at the same batch was carried out. */
const STORED_BEFORE: readonly string[] = ['duplicate', 'older'];

/** Takes samples in the order of a file and sends those on that the engine does not have, one batch after the other. */
export class Importer {
  /** Samples the engine stored, and those it had before. */
  stored = 0;
  skipped = 0;
  readonly #client: EngineClient;
  readonly #badRows: BadRows;
  readonly #patience: PatienceOptions;
  readonly #newest: NewestRows;
  #batch: ImportSample[] = [];
  #batchBytes = 0;
  /** At most one batch is under way while the next one is read. */
  #underWay: Promise<void> = Promise.resolve();

  constructor(client: EngineClient, badRows: BadRows, patience: PatienceOptions) {
    this.#client = client;
    this.#badRows = badRows;
    this.#patience = patience;
    this.#newest = new NewestRows(client, patience);
  }

  get metrics(): number {
    return this.#newest.metrics;
  }

  /** Resolves when there is room for more. @throws HtmEngineError `invalid_argument` for a bad row, and what the engine answers */
  async add(sample: ImportSample): Promise<void> {
    this.#batch.push(sample);
    this.#batchBytes += BYTES_PER_SAMPLE + BYTES_PER_NAME_CHARACTER * sample.sample.name.length;
    if (this.#batch.length >= BATCH_SAMPLES || this.#batchBytes >= BATCH_BYTES) await this.#sendBatch();
  }

  /** Sends what is left; resolves when all is stored. */
  async end(): Promise<void> {
    await this.#sendBatch();
    await this.#underWay;
  }

  async #sendBatch(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    await this.#underWay;
    if (batch.length === 0) return;
    this.#underWay = this.#store(batch);
    this.#underWay.catch(() => undefined); // whoever awaits it next is told
  }

  async #store(batch: readonly ImportSample[]): Promise<void> {
    await this.#newest.meet(batch.map(({ sample }) => sample.name));
    const wanted: ImportSample[] = [];
    const misplaced: { line: number; reason: string }[] = [];
    for (const given of batch) {
      const passed = this.#newest.pass(given.sample.name, given.sample.timestamp);
      if (passed === null) wanted.push(given);
      else if (passed === 'stored') this.skipped++;
      else misplaced.push({ line: given.line, reason: `${passed}: ${WRONG_ORDER[passed]}` });
    }
    // Those before the first misplaced one are stored first: then "mend it and go on" is true.
    const first = misplaced[0]?.line ?? Infinity;
    await this.#send(wanted.filter(({ line }) => line < first));
    for (const row of misplaced) this.#badRows.add(row);
    await this.#send(wanted.filter(({ line }) => line >= first));
  }

  async #send(samples: readonly ImportSample[]): Promise<void> {
    if (samples.length === 0) return;
    const send = () => this.#client.sendSamples(samples.map(({ sample }) => sample));
    const { answer, repeated } = await patiently(send, this.#patience);
    const refusals = answer.problems.filter(({ reason }) => !(repeated && STORED_BEFORE.includes(reason)));
    this.stored += samples.length - refusals.length;
    for (const { line, reason, message } of refusals) {
      this.#badRows.add({
        line: samples[line - 1]?.line ?? 0,
        reason: `the engine refused it: ${message} (${reason})`,
      });
    }
  }
}
