import { Worker } from 'node:worker_threads';
import type { CheckpointName } from '../checkpoints/checkpoint-store.ts';
import {
  type LoadReply,
  type LoadRequest,
  type ModelCalls,
  type ModelWorker,
  type RunReply,
  type RunRequest,
  WorkerLostError,
} from './model-worker.ts';
import type { CallMessage, WorkerMessage } from './serve.ts';

/** A worker in a thread of its own. */
export class ThreadWorker implements ModelWorker {
  readonly ended: Promise<string>;
  readonly #thread: Worker;
  readonly #pending = new Map<number, Pending>();
  #calls = 0;
  #end: string | null = null;

  private constructor(thread: Worker) {
    this.#thread = thread;
    this.ended = new Promise((resolve) => {
      let reason = '';
      thread.on('error', (error) => (reason = describe(error)));
      thread.on('messageerror', (error) => (reason = describe(error)));
      thread.on('exit', (code) => {
        this.#end = reason === '' ? `exit code ${code}` : reason;
        for (const call of this.#pending.values()) call.reject(new WorkerLostError(this.#end));
        this.#pending.clear();
        resolve(this.#end);
      });
    });
  }

  /**
   * Starts the thread and waits until it can take calls.
   * @param file what it runs: a module that calls `serve`.
   * @throws Error if it ends before that, for instance because the module cannot be loaded.
   */
  static async start(file: URL): Promise<ThreadWorker> {
    const thread = new Worker(file, { name: 'htmengine-models', execArgv: [] });
    const worker = new ThreadWorker(thread);
    await new Promise<void>((resolve, reject) => {
      thread.on('message', (message: WorkerMessage) => {
        if (message.kind === 'ready') resolve();
        else worker.#answer(message);
      });
      void worker.ended.then((reason) => reject(new Error(`a model worker could not start: ${reason}`)));
    });
    return worker;
  }

  async load(request: LoadRequest): Promise<LoadReply> {
    return await this.#call('load', request);
  }

  async run(request: RunRequest): Promise<RunReply> {
    return await this.#call('run', request);
  }

  async save(name: CheckpointName): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#call('save', name);
  }

  async drop(metricId: string): Promise<void> {
    await this.#call('drop', metricId);
  }

  async end(): Promise<void> {
    await this.#thread.terminate();
  }

  async #call<Call extends keyof ModelCalls>(
    call: Call,
    argument: Parameters<ModelCalls[Call]>[0],
  ): Promise<ReturnType<ModelCalls[Call]>> {
    if (this.#end !== null) throw new WorkerLostError(this.#end);
    const id = ++this.#calls;
    return await new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve: (reply) => resolve(reply as ReturnType<ModelCalls[Call]>), reject });
      const message = { id, call, argument } as CallMessage;
      this.#thread.postMessage(message);
    });
  }

  #answer(message: Exclude<WorkerMessage, { kind: 'ready' }>): void {
    const call = this.#pending.get(message.id);
    if (call === undefined) return;
    this.#pending.delete(message.id);
    if (message.kind === 'reply') call.resolve(message.reply);
    else call.reject(new Error(`a model worker failed: ${message.error}`));
  }
}

interface Pending {
  resolve(reply: unknown): void;
  reject(error: Error): void;
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
