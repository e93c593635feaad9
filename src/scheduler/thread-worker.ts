import { Worker } from 'node:worker_threads';
import type { CheckpointName } from '../checkpoints/checkpoint-store.ts';
import {
  type LoadReply,
  type LoadRequest,
  type ModelCalls,
  type ModelWorker,
  type RunReply,
  type RunRequest,
  type SaveReply,
  WorkerLostError,
} from './model-worker.ts';
import type { CallMessage, WorkerMessage } from './serve.ts';

/** What a worker thread is given. */
export interface ThreadWorkerData {
  /** To be counted up whenever there is progress; shared. */
  readonly progress: Int32Array<SharedArrayBuffer>;
}

/** A thread that owes answers is looked at so often; without progress in so many looks in a row it hangs. */
export interface HangWatch {
  readonly everyMs: number;
  readonly looks: number;
}

/** A minute: hundreds of times what the longest step of a model takes. Looks are counted, so no stopped clock or process ends one. */
const HANG_WATCH: HangWatch = { everyMs: 5_000, looks: 12 };

/** Models are not on the JavaScript heap of their thread: this bounds everything else. */
const HEAP_LIMITS = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256 };

/** A worker in a thread of its own. One that hangs is ended. */
export class ThreadWorker implements ModelWorker {
  readonly ended: Promise<string>;
  readonly #thread: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #progress: Int32Array<SharedArrayBuffer>;
  #calls = 0;
  #answers = 0;
  #reason = '';
  #end: string | null = null;

  private constructor(thread: Worker, { progress }: ThreadWorkerData, watch: HangWatch) {
    this.#thread = thread;
    this.#progress = progress;
    const timer = this.#watch(watch);
    this.ended = new Promise((resolve) => {
      thread.on('error', (error) => (this.#reason = describe(error)));
      thread.on('messageerror', (error) => (this.#reason = describe(error)));
      thread.on('exit', (code) => {
        clearInterval(timer);
        this.#end = this.#reason === '' ? `exit code ${code}` : this.#reason;
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
  static async start(file: URL, watch: HangWatch = HANG_WATCH): Promise<ThreadWorker> {
    const workerData: ThreadWorkerData = { progress: new Int32Array(new SharedArrayBuffer(4)) };
    const thread = new Worker(file, {
      name: 'htmengine-models',
      execArgv: [],
      workerData,
      resourceLimits: HEAP_LIMITS,
    });
    const worker = new ThreadWorker(thread, workerData, watch);
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
    const bytes = request.checkpoint?.bytes;
    return await this.#call('load', request, bytes === undefined ? [] : ownBuffer(bytes));
  }

  async run(request: RunRequest): Promise<RunReply> {
    return await this.#call('run', request);
  }

  async save(name: CheckpointName): Promise<SaveReply> {
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
    moved: ArrayBuffer[] = [],
  ): Promise<ReturnType<ModelCalls[Call]>> {
    if (this.#end !== null) throw new WorkerLostError(this.#end);
    const id = ++this.#calls;
    return await new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve: (reply) => resolve(reply as ReturnType<ModelCalls[Call]>), reject });
      const message = { id, call, argument } as CallMessage;
      this.#thread.postMessage(message, moved);
    });
  }

  #watch({ everyMs, looks }: HangWatch): NodeJS.Timeout {
    let seen = 0;
    let without = 0;
    const look = () => {
      const progress = Atomics.load(this.#progress, 0) + this.#answers;
      without = this.#pending.size > 0 && progress === seen ? without + 1 : 0;
      seen = progress;
      if (without < looks) return;
      this.#reason = `it hung: no progress for ${(everyMs * looks) / 1000} s`;
      void this.#thread.terminate();
    };
    return setInterval(look, everyMs).unref();
  }

  #answer(message: Exclude<WorkerMessage, { kind: 'ready' }>): void {
    this.#answers++;
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

/** The buffer of the bytes if it holds nothing else, so that it can change hands; else they are copied. */
function ownBuffer({ buffer, byteLength }: Uint8Array): ArrayBuffer[] {
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [];
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
