import type { SpanRecord } from '../store/incidents.ts';

/** Why a span concerns nobody: a mute, or what somebody has called usual. */
export interface Silence {
  readonly by: 'mute' | 'usual';
  /** Of the mute or the pattern. */
  readonly id: string;
}

export interface JudgedSpan extends SpanRecord {
  readonly silence: Silence | null;
}

/** Anomalous spans, of one metric or of many, that belong together because they lie close in time. */
export interface Incident {
  /** Of the span that opened first, `metricId:generation:rowid`; it stays while the incident grows. */
  readonly id: string;
  readonly openedAt: number;
  readonly lastAt: number;
  /** Whether any of its spans is still open. */
  readonly open: boolean;
  /** The highest anomaly score of all its spans. */
  readonly peakScore: number;
  /** Whether all its spans are acknowledged. */
  readonly acknowledged: boolean;
  /** Whether its spans are silenced: those are never in one incident with others. */
  readonly silenced: boolean;
  /** In the order in which they opened. */
  readonly spans: readonly JudgedSpan[];
}

/**
 * Groups spans into incidents: a span belongs to the one before if it opened while that lasted, or at most `gapSeconds` after
 * its last anomalous row.
 * @returns the incidents with the newest rows first.
 */
export function groupSpans(spans: readonly JudgedSpan[], gapSeconds: number): Incident[] {
  const [silenced, heard] = [true, false].map((isSilenced) =>
    spans.filter(({ silence }) => (silence !== null) === isSilenced).sort(byOpening),
  ) as [JudgedSpan[], JudgedSpan[]];
  return [...groups(heard, gapSeconds), ...groups(silenced, gapSeconds)]
    .map(toIncident)
    .sort((a, b) => b.lastAt - a.lastAt || compareText(a.id, b.id));
}

function groups(spans: readonly JudgedSpan[], gapSeconds: number): JudgedSpan[][] {
  const grouped: JudgedSpan[][] = [];
  let until = Number.NEGATIVE_INFINITY;
  for (const span of spans) {
    const group = span.openedAt <= until + gapSeconds ? grouped.at(-1) : undefined;
    if (group === undefined) grouped.push([span]);
    else group.push(span);
    until = Math.max(until, span.lastAt);
  }
  return grouped;
}

function toIncident(spans: readonly JudgedSpan[]): Incident {
  const [first] = spans;
  if (first === undefined) throw new Error('an incident has a span');
  return {
    id: `${first.metricId}:${first.generation}:${first.openedRowid}`,
    openedAt: first.openedAt,
    lastAt: Math.max(...spans.map((span) => span.lastAt)),
    open: spans.some((span) => !span.ended),
    peakScore: Math.max(...spans.map((span) => span.peakScore)),
    acknowledged: spans.every((span) => span.acknowledgement !== null),
    silenced: first.silence !== null,
    spans,
  };
}

function byOpening(a: JudgedSpan, b: JudgedSpan): number {
  return a.openedAt - b.openedAt || compareText(a.metricId, b.metricId) || a.openedRowid - b.openedRowid;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
