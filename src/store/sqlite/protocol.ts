import { HtmEngineError, type ErrorCode } from '../../errors.ts';
import type { Store } from '../store.ts';

/** What goes between the callers of the store and its thread. */

/** The parts of the store that are called over the thread's port. */
export type Area = Extract<
  keyof Store,
  | 'log'
  | 'catalogue'
  | 'leases'
  | 'queries'
  | 'incidents'
  | 'checkpoints'
  | 'outbox'
  | 'transfer'
  | 'retention'
>;

export type Request =
  | { readonly id: number; readonly area: Area; readonly method: string; readonly args: readonly unknown[] }
  | {
      readonly id: number;
      readonly area: 'store';
      readonly method: 'ping' | 'close';
      readonly args: readonly [];
    };

/** `id` of the message that says whether the database could be opened. */
export const OPENED = 0;

export type Reply =
  | { readonly id: number; readonly value: unknown; readonly error?: undefined }
  | { readonly id: number; readonly error: SentError };

/** An error in a form that a port carries: what is thrown loses its class and its code there. */
export type SentError =
  | {
      readonly code: ErrorCode;
      readonly message: string;
      readonly details: Readonly<Record<string, string | number | null>>;
    }
  | { readonly code?: undefined; readonly thrown: unknown };

export function sendError(error: unknown): SentError {
  if (!(error instanceof HtmEngineError)) return { thrown: error };
  const { code, message, details } = error;
  return { code, message, details };
}

export function receiveError(sent: SentError): Error {
  if (sent.code !== undefined) return new HtmEngineError(sent.code, sent.message, sent.details);
  return sent.thrown instanceof Error ? sent.thrown : new Error(String(sent.thrown));
}

/**
 * The buffers of the typed arrays that `value` is or has as fields, to be moved to the other thread instead of copied.
 * Their owner must not need them any more.
 */
export function buffersOf(value: unknown): ArrayBuffer[] {
  if (typeof value !== 'object' || value === null) return [];
  const views = ArrayBuffer.isView(value) ? [value] : Object.values(value);
  return views.flatMap((view) =>
    ArrayBuffer.isView(view) && view.buffer instanceof ArrayBuffer ? [view.buffer] : [],
  );
}
