import { STEP_SECONDS, type Planted, secondOf } from './city.ts';

/** Of a stored row what matters here; null as long as it has no score. */
export interface ScoredRow {
  readonly timestamp: number;
  readonly logLikelihood: number | null;
}

/** A run of anomalous rows of one route. Epoch seconds. */
export interface Span {
  readonly route: string;
  readonly from: number;
  readonly to: number;
}

/** The engine's own rule for incidents: opens at 0.5, goes on from 0.29 on, closes after 12 rows below. */
const OPENS_AT = 0.5;
const GOES_ON_AT = 0.29;
const CLOSES_AFTER_ROWS = 12;

/** The anomalous spans of a route's rows, oldest first. */
export function spansOf(route: string, rows: readonly ScoredRow[]): Span[] {
  const spans: { route: string; from: number; to: number }[] = [];
  let below = CLOSES_AFTER_ROWS;
  for (const { timestamp, logLikelihood } of rows) {
    const score = logLikelihood ?? 0;
    const isOpen = below < CLOSES_AFTER_ROWS;
    const last = spans.at(-1);
    if (isOpen && last !== undefined && score >= GOES_ON_AT) last.to = timestamp;
    else if (!isOpen && score >= OPENS_AT) spans.push({ route, from: timestamp, to: timestamp });
    below = score >= OPENS_AT || (isOpen && score >= GOES_ON_AT) ? 0 : below + 1;
  }
  return spans;
}

/** How well planted incidents were found in the days that were looked at. */
export interface Findings {
  readonly planted: number;
  readonly found: number;
  /** Spans that no planted incident explains. */
  readonly falseAlarms: number;
  readonly days: number;
  /** From the beginning of each found incident to the span that found it, minutes. */
  readonly delaysMinutes: readonly number[];
}

/** A span that opens so long after an incident is over is still its aftermath: the road clears, and then is unusually free. */
const AFTERMATH_SECONDS = 3600;

/**
 * An incident is found by a span of its route that opens while it lasts or within its aftermath. Every other span is a
 * false alarm; one incident explains all spans within its time, so that none counts twice.
 * @param from epoch seconds of the first moment that counts: before, models learn.
 */
export function findingsOf(
  planted: readonly Planted[],
  spans: readonly Span[],
  from: number,
  to: number,
): Findings {
  const counted = spans.filter((span) => span.from >= from && span.from < to);
  const delaysMinutes: number[] = [];
  const explained = new Set<Span>();
  for (const incident of planted) {
    const begins = secondOf(incident.from);
    const ends = secondOf(incident.to) + STEP_SECONDS + AFTERMATH_SECONDS;
    const during = counted.filter(
      (span) => span.route === incident.route && span.from >= begins && span.from < ends,
    );
    for (const span of during) explained.add(span);
    const [first] = during;
    if (first !== undefined) delaysMinutes.push((first.from - begins) / 60);
  }
  return {
    planted: planted.length,
    found: delaysMinutes.length,
    falseAlarms: counted.length - explained.size,
    days: (to - from) / 86_400,
    delaysMinutes,
  };
}

/** Several cities as one. */
export function together(all: readonly Findings[]): Findings {
  const sum = (of: (findings: Findings) => number) => all.reduce((total, each) => total + of(each), 0);
  return {
    planted: sum(({ planted }) => planted),
    found: sum(({ found }) => found),
    falseAlarms: sum(({ falseAlarms }) => falseAlarms),
    days: sum(({ days }) => days),
    delaysMinutes: all.flatMap(({ delaysMinutes }) => delaysMinutes),
  };
}

export function recall({ planted, found }: Findings): number {
  return planted === 0 ? 1 : found / planted;
}

export function falseAlarmsPerDay({ falseAlarms, days }: Findings): number {
  return falseAlarms / days;
}

export function medianDelayMinutes({ delaysMinutes }: Findings): number | null {
  return delaysMinutes.toSorted((a, b) => a - b)[delaysMinutes.length >>> 1] ?? null;
}
