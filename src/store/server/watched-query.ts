/**
 * Calls `end` if what was begun has not called the returned function within `limitMs`: a server that has vanished
 * without a word (a cut network, a stopped machine) must not hold a connection for ever.
 */
export function deadline(limitMs: number, end: () => void): () => void {
  const timer = setTimeout(end, limitMs);
  return () => clearTimeout(timer);
}

/** How much longer than the server we wait: it is the one that should end a statement that takes too long. */
export const GRACE_MS = 5_000;

/**
 * How long a transaction may stand still between two statements before the server ends it: a process that was stopped or
 * cut off in the middle of one must not keep its locks until it comes back. Shorter than a lease lasts.
 */
const IDLE_IN_TRANSACTION_MS = 4_000;

/** The limit, no longer than a statement may take. */
export function idleInTransactionMs(statementTimeoutMs: number): number {
  return Math.min(IDLE_IN_TRANSACTION_MS, statementTimeoutMs);
}
