/** `action` as it may be called from a hot path: it runs once in `intervalMs` at the most, and is told how often it was called since. */
export function seldom(intervalMs: number, action: (times: number) => void): () => void {
  let lastMs = -Infinity;
  let times = 0;
  return () => {
    times++;
    const nowMs = performance.now();
    if (nowMs - lastMs < intervalMs) return;
    lastMs = nowMs;
    action(times);
    times = 0;
  };
}
