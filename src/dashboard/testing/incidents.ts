import type { Incident, Span } from '../api/contract.ts';

/** An open span of one row, but for what is given. */
export function aSpan(name: string, openedAt: number, given: Partial<Span> = {}): Span {
  return {
    name,
    uid: name,
    generation: 1,
    openedRowid: openedAt,
    openedAt,
    lastAt: openedAt,
    peakLogLikelihood: 0.6,
    peakAt: openedAt,
    lowestValue: 140,
    highestValue: 140,
    ended: false,
    acknowledgement: null,
    silence: null,
    ...given,
  };
}

/** The incident that the spans make together; they are in the order in which they opened. */
export function anIncident(...spans: readonly [Span, ...Span[]]): Incident {
  const [first] = spans;
  return {
    id: `${first.uid}:${first.generation}:${first.openedRowid}`,
    openedAt: first.openedAt,
    lastAt: Math.max(...spans.map(({ lastAt }) => lastAt)),
    open: spans.some(({ ended }) => !ended),
    peakLogLikelihood: Math.max(...spans.map(({ peakLogLikelihood }) => peakLogLikelihood)),
    acknowledged: spans.every(({ acknowledgement }) => acknowledgement !== null),
    silenced: first.silence !== null,
    spans,
  };
}
