import type { Incident, Metric, Span, UsualPattern } from '../api/contract.ts';
import { formatCount, formatDuration, formatValue } from './format.ts';

/** A stretch to look at around a span has at least this many seconds on each side of it. */
const LEAST_MARGIN = 3 * 3600;

export interface SortedIncidents {
  readonly open: readonly Incident[];
  readonly past: readonly Incident[];
  /** Muted, or called usual; open or past. */
  readonly silenced: readonly Incident[];
}

/** Incidents by whom they concern; within each as the engine sorted them. */
export function sortIncidents(incidents: readonly Incident[]): SortedIncidents {
  const heard = incidents.filter(({ silenced }) => !silenced);
  return {
    open: heard.filter(({ open }) => open),
    past: heard.filter(({ open }) => !open),
    silenced: incidents.filter(({ silenced }) => silenced),
  };
}

/** The metrics of an incident, each once, in the order in which they became anomalous. */
export function metricsOf({ spans }: Incident): string[] {
  return [...new Set(spans.map(({ name }) => name))];
}

/** `cpu.load`, or `cpu.load and 3 more metrics`. */
export function incidentTitle(incident: Incident): string {
  const [first = '', ...others] = metricsOf(incident);
  if (others.length === 0) return first;
  return `${first} and ${others.length === 1 ? 'one more metric' : `${formatCount(others.length)} more metrics`}`;
}

/** How long something lasted, from its first anomalous row to its last. */
export function lasted({ openedAt, lastAt }: { readonly openedAt: number; readonly lastAt: number }): string {
  return openedAt === lastAt ? 'one row' : formatDuration(lastAt - openedAt);
}

/** Values in words: `140`, or `98.2 to 106`. */
export function valueRange(lowest: number, highest: number): string {
  return lowest === highest ? formatValue(lowest) : `${formatValue(lowest)} to ${formatValue(highest)}`;
}

/** Where the chart shows a span with what was around it. */
export function windowOf({ openedAt, lastAt }: Span): { from: number; to: number } {
  const margin = Math.max(LEAST_MARGIN, lastAt - openedAt);
  return { from: openedAt - margin, to: lastAt + margin };
}

/** When in the day a pattern holds: `any time of day`, or `13:05 to 15:05 UTC`. */
export function timeOfDay({ fromMinute, toMinute }: Pick<UsualPattern, 'fromMinute' | 'toMinute'>): string {
  if (fromMinute === null || toMinute === null) return 'any time of day';
  return `${clock(fromMinute)} to ${clock(toMinute)} UTC`;
}

const clock = (minute: number) =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

/** Why there may be no incident, in words: nothing is monitored, or models are learning still; null if neither. */
export function whyNone(metrics: Iterable<Metric>): string | null {
  const monitored = [...metrics].filter(({ state }) => state !== 'UNMONITORED');
  if (monitored.length === 0) return 'No metric is monitored yet, so nothing can be anomalous.';
  const learning = monitored.filter(({ learning, state }) => learning !== null && state !== 'ERROR').length;
  if (learning === 0) return null;
  if (monitored.length === 1)
    return 'The one monitored metric is still learning what is usual; until it has, it reports nothing.';
  const all = monitored.length === learning ? 'All' : `${formatCount(learning)} of`;
  return `${all} ${formatCount(monitored.length)} monitored metrics are still learning what is usual; until they have, they report nothing.`;
}
