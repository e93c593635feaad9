import type { Metric, RankedPeriod } from '../api/contract.ts';
import { SPAN_CLOSING_ROWS } from './anomaly-spans.ts';

export const ORDERS = ['anomaly', 'hour', 'day', 'week', 'name'] as const;
/** `anomaly`: how anomalous metrics are now; `hour`, `day`, `week`: how anomalous they were over that period. */
export type Order = (typeof ORDERS)[number];

/** The period that the order is about, if it is about one. */
export function rankedPeriod(order: Order): RankedPeriod | null {
  return order === 'hour' || order === 'day' || order === 'week' ? order : null;
}

/**
 * How anomalous a metric is now: the highest log-likelihood of its newest rows, as many as keep a span open; -1 if it has
 * no scores.
 */
export function presentAnomaly({ recent, lastLogLikelihood }: Metric): number {
  return Math.max(-1, lastLogLikelihood ?? -1, ...(recent ?? []).slice(-SPAN_CLOSING_ROWS));
}

/**
 * The metrics whose name has every word of `filter`, whatever their case, in the order asked for.
 * @param ranks places by name, for an order by a period; metrics without one (not monitored) come last
 */
export function arrange(
  metrics: Iterable<Metric>,
  filter: string,
  order: Order,
  ranks: ReadonlyMap<string, number> | null = null,
): Metric[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const found = [...metrics].filter(({ name }) => {
    const text = name.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  if (order === 'name') return found.sort(byName);
  if (order !== 'anomaly') {
    const place = ({ name }: Metric) => ranks?.get(name) ?? Number.MAX_SAFE_INTEGER;
    return found.sort((a, b) => place(a) - place(b) || byName(a, b));
  }
  const anomaly = new Map(found.map((metric) => [metric, stepped(presentAnomaly(metric))]));
  return found.sort((a, b) => (anomaly.get(b) ?? -1) - (anomaly.get(a) ?? -1) || byName(a, b));
}

/** Metrics of nearly the same score keep their places while it wavers. */
const stepped = (score: number) => Math.floor(score * 10 + 1e-9);

const collator = new Intl.Collator('en', { numeric: true });
const byName = (a: Metric, b: Metric) => collator.compare(a.name, b.name) || (a.name < b.name ? -1 : 1);
