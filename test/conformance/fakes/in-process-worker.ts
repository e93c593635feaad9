import { ModelHost } from '../../../src/scheduler/model-host.ts';
import {
  type LoadReply,
  type LoadRequest,
  type ModelWorker,
  type RunReply,
  type RunRequest,
  type SaveReply,
  WorkerLostError,
} from '../../../src/scheduler/model-worker.ts';
import type { CheckpointName } from '../../../src/checkpoints/checkpoint-store.ts';
import type { ModelFactory } from '../../../src/scheduler/models.ts';
import { fakeModels } from './fake-models.ts';

/** What a row of a fake model is said to take. */
const FAKE_ROW_MS = 0.2;

/** A worker without a thread, which can be killed at any moment. Answers in order, never at once. */
export class InProcessWorker implements ModelWorker {
  readonly ended: Promise<string>;
  /** Goes by rows, so that what is decided by it is the same in every run. */
  #cpuMs = 0;
  readonly #host: ModelHost;
  readonly #hook: (worker: InProcessWorker) => void;
  #last: Promise<unknown> = Promise.resolve();
  #reason: string | null = null;
  #tellEnd: (reason: string) => void = () => undefined;

  /** @param hook is told before and after each call is carried out, and may kill the worker. */
  constructor(hook: (worker: InProcessWorker) => void = () => undefined, models: ModelFactory = fakeModels) {
    this.#hook = hook;
    this.#host = new ModelHost(
      models,
      () => (this.#cpuMs += FAKE_ROW_MS),
      () => this.#cpuMs,
    );
    this.ended = new Promise((resolve) => (this.#tellEnd = resolve));
  }

  async load(request: LoadRequest): Promise<LoadReply> {
    return await this.#call(() => this.#host.load(request));
  }

  async run(request: RunRequest): Promise<RunReply> {
    return await this.#call(() => this.#host.run(request));
  }

  async save(name: CheckpointName): Promise<SaveReply> {
    return await this.#call(() => this.#host.save(name));
  }

  async drop(metricId: string): Promise<void> {
    await this.#call(() => this.#host.drop(metricId));
  }

  async end(): Promise<void> {
    await Promise.resolve();
    this.kill('ended');
  }

  kill(reason: string): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    this.#tellEnd(reason);
  }

  async #call<T>(action: () => T): Promise<T> {
    const turn = this.#last.then(async () => {
      await new Promise(setImmediate);
      this.#alive();
      this.#hook(this);
      this.#alive();
      const reply = action();
      this.#hook(this);
      return reply;
    });
    this.#last = turn.catch(() => undefined);
    const reply = await turn;
    // Killed after it computed and before the answer arrived.
    this.#alive();
    return reply;
  }

  #alive(): void {
    if (this.#reason !== null) throw new WorkerLostError(this.#reason);
  }
}
