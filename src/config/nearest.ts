/**
 * The candidate that was probably meant, or null if none is near: at most two slips of the keyboard, and fewer than half
 * of a short name; case, `_` and `-` do not count.
 */
export function nearest(name: string, candidates: readonly string[]): string | null {
  const wanted = plain(name);
  const limit = Math.min(2, Math.ceil(wanted.length / 2) - 1);
  let best: string | null = null;
  let bestSlips = limit + 1;
  for (const candidate of candidates) {
    const slips = slipsBetween(wanted, plain(candidate));
    if (slips < bestSlips) [best, bestSlips] = [candidate, slips];
  }
  return best;
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '');
}

/** Optimal string alignment distance: letters left out, put in, replaced, or two neighbours exchanged. */
function slipsBetween(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const at = (cells: readonly number[], column: number) => cells[column] ?? Infinity;
      let slips = Math.min(
        at(last, j) + 1,
        at(row, j - 1) + 1,
        at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        slips = Math.min(slips, at(beforeLast, j - 2) + 1);
      row.push(slips);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length] ?? Infinity;
}
