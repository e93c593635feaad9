export const PERIODS = ['day', 'week', 'month', 'all'] as const;
/** How far back a view looks. */
export type Period = (typeof PERIODS)[number];

const SECONDS: Readonly<Record<Period, number>> = {
  day: 86_400,
  week: 7 * 86_400,
  month: 30 * 86_400,
  all: Infinity,
};
const WORDS: Readonly<Record<Period, string>> = {
  day: 'Last day',
  week: 'Last week',
  month: 'Last 30 days',
  all: 'All time',
};

export const periodWords = (period: Period) => WORDS[period];

/** Where the period begins, epoch seconds; null if it has no beginning. */
export function beginOf(period: Period, now: number): number | null {
  const from = now - SECONDS[period];
  return Number.isFinite(from) ? Math.floor(from) : null;
}
