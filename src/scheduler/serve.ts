import type { MessagePort } from 'node:worker_threads';
import type { ModelCalls } from './model-worker.ts';

/** One call on its way to a worker. */
export type CallMessage = {
  readonly [Call in keyof ModelCalls]: {
    readonly id: number;
    readonly call: Call;
    readonly argument: Parameters<ModelCalls[Call]>[0];
  };
}[keyof ModelCalls];

/** What comes back: `ready` once, then an answer to every call, in order. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'reply'; readonly id: number; readonly reply: ReturnType<ModelCalls[keyof ModelCalls]> }
  | { readonly kind: 'error'; readonly id: number; readonly error: string };

/** Runs inside a worker thread: answers calls with `models`, one after the other. */
export function serve(models: ModelCalls, port: MessagePort): void {
  const post = (message: WorkerMessage, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);
  port.on('message', (message: CallMessage) => {
    try {
      const reply = perform(models, message);
      post({ kind: 'reply', id: message.id, reply }, buffers(reply));
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      post({ kind: 'error', id: message.id, error: text });
    }
  });
  post({ kind: 'ready' });
}

function perform(models: ModelCalls, message: CallMessage): ReturnType<ModelCalls[keyof ModelCalls]> {
  switch (message.call) {
    case 'load':
      return models.load(message.argument);
    case 'run':
      return models.run(message.argument);
    case 'save':
      return models.save(message.argument);
    case 'drop':
      models.drop(message.argument);
      return undefined;
  }
}

/** Large results change hands instead of being copied. */
function buffers(reply: ReturnType<ModelCalls[keyof ModelCalls]>): ArrayBuffer[] {
  if (reply === undefined) return [];
  if ('checkpoint' in reply) return [reply.checkpoint.buffer];
  return 'rawScores' in reply ? [reply.rawScores.buffer] : [];
}
