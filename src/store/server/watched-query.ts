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
