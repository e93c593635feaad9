import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from '../errors.ts';

export interface PatienceOptions {
  /** Which errors are waited out; those of `mayPass` unless told otherwise. */
  readonly waitsFor?: (error: unknown) => error is Error;
  /** How long an engine that has no room, or is away, is waited for in one go. */
  readonly patienceMs?: number;
  readonly firstWaitMs?: number;
  /** Is told before each wait. */
  readonly onWait?: (reason: string) => void;
  /** Ends the waiting: the error that made it wait is thrown. */
  readonly signal?: AbortSignal;
}

/** What was answered at last, and whether it had to be asked for more than once. */
export interface PatientAnswer<T> {
  readonly answer: T;
  /** An earlier attempt may have been carried out without our hearing of it. */
  readonly repeated: boolean;
}

const PATIENCE_MS = 300_000;
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 10_000;

/** Repeats `action` while the engine has no room (503) or is away, with growing waits. @throws what cannot pass, or has not in time */
export async function patiently<T>(
  action: () => Promise<T>,
  options: PatienceOptions = {},
): Promise<PatientAnswer<T>> {
  const {
    waitsFor = mayPass,
    patienceMs = PATIENCE_MS,
    firstWaitMs = FIRST_WAIT_MS,
    onWait,
    signal,
  } = options;
  const deadline = performance.now() + patienceMs;
  for (let waitMs = firstWaitMs, repeated = false; ; waitMs = Math.min(LONGEST_WAIT_MS, 2 * waitMs)) {
    try {
      return { answer: await action(), repeated };
    } catch (error) {
      const leftMs = deadline - performance.now();
      if (!waitsFor(error) || leftMs <= 0 || signal?.aborted === true) throw error;
      onWait?.(error.message);
      repeated = true;
      await sleep(Math.min(waitMs, leftMs), undefined, signal && { signal }).catch(() => undefined);
    }
  }
}

/** True for what the engine, or the way to it, may be able to do a while later. */
export function mayPass(error: unknown): error is Error {
  return hasCode(error, 'engine_unreachable') || hasNoRoom(error);
}

/** True for what the engine cannot do now: it is there and asks to try again later. */
export function hasNoRoom(error: unknown): error is Error {
  return hasCode(error, 'engine_refused') && error.details.status === 503;
}
