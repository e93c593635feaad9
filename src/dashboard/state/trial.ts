import { type ReadonlySignal, signal } from '@preact/signals';
import type { ColumnNames } from '../../csv/columns.ts';
import type { Columns } from '../model/thinning.ts';
import type { News, Order } from '../try/messages.ts';

export interface TrialState {
  readonly file: File;
  readonly phase: 'reading' | 'scoring' | 'done' | 'stopped' | 'failed';
  /** The titles of its columns; empty until they are read. */
  readonly header: readonly string[];
  /** The columns that are used, and the range of the model. */
  readonly series: Extract<News, { type: 'series' }> | null;
  readonly columns: Columns;
  /** Of the file, 0..1. */
  readonly share: number;
  readonly end: Extract<News, { type: 'end' }> | null;
  readonly problem: string | null;
}

/** A file that is scored in this browser, by a worker of its own; nothing of it is sent anywhere. */
export class Trial {
  readonly #state = signal<TrialState | null>(null);
  #worker: Worker | null = null;

  /** Null before the first file. */
  get state(): ReadonlySignal<TrialState | null> {
    return this.#state;
  }

  /** Begins with a file; what is under way is given up. */
  begin(file: File, columns: ColumnNames = {}): void {
    this.#end();
    this.#state.value = {
      file,
      phase: 'reading',
      header: [],
      series: null,
      columns: { timestamps: [], values: [], scores: [] },
      share: 0,
      end: null,
      problem: null,
    };
    const worker = new Worker(new URL('../try/detect-worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<News>) => this.#take(data);
    worker.onerror = ({ message }) =>
      this.#take({ type: 'problem', message: message === '' ? 'The worker could not be started.' : message });
    const order: Order = { file, columns };
    worker.postMessage(order);
    this.#worker = worker;
  }

  /** What is scored stays. */
  stop(): void {
    this.#end();
    const state = this.#state.value;
    if (state !== null && state.end === null) this.#state.value = { ...state, phase: 'stopped' };
  }

  #end(): void {
    this.#worker?.terminate();
    this.#worker = null;
  }

  #take(news: News): void {
    const state = this.#state.value;
    if (state === null) return;
    switch (news.type) {
      case 'header':
        this.#state.value = { ...state, header: news.header };
        break;
      case 'series':
        this.#state.value = { ...state, series: news, phase: 'scoring' };
        break;
      case 'rows': {
        const { timestamps, values, scores } = state.columns;
        this.#state.value = {
          ...state,
          share: state.file.size === 0 ? 1 : news.bytes / state.file.size,
          columns: {
            timestamps: timestamps.concat(news.timestamps),
            values: values.concat(news.values),
            scores: scores.concat(news.scores),
          },
        };
        break;
      }
      case 'end':
        this.#state.value = { ...state, end: news, phase: 'done', share: 1 };
        this.#end();
        break;
      case 'problem':
        this.#state.value = { ...state, problem: news.message, phase: 'failed' };
        this.#end();
        break;
    }
  }
}
