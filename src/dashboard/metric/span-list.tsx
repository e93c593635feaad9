import type { ComponentChildren } from 'preact';
import type { AnomalySpan } from '../model/anomaly-spans.ts';
import { formatCount, formatDuration, formatScore, formatTime, type Zone } from '../model/format.ts';
import { heatLevel, heatWords } from '../model/heat.ts';
import { howSeldom } from '../model/likelihood-words.ts';

/** Spans listed at the most, the newest first. */
const MAX_LISTED = 50;

interface SpanListProperties {
  readonly spans: readonly AnomalySpan[];
  /** The numbers of rows are estimates. */
  readonly isEstimate: boolean;
  readonly zone: Zone;
  /** The way to a span on the chart, with its time as text. */
  readonly wayTo: (span: AnomalySpan, time: string) => ComponentChildren;
  /** What follows the list. */
  readonly children?: ComponentChildren;
}

/** The anomalous spans in words: what the chart marks, for those who do not see it, and as a way to zoom. */
export function SpanList({ spans, isEstimate, zone, wayTo, children }: SpanListProperties) {
  const listed = spans.slice(-MAX_LISTED).reverse();
  return (
    <section class="spans" aria-label="Anomalous spans">
      <h2>
        Anomalous spans <span class="count">{formatCount(spans.length)}</span>
      </h2>
      {listed.length === 0 ? (
        <p class="muted">None among the rows read.</p>
      ) : (
        <ul>
          {listed.map((span) => (
            <li key={span.from}>
              {wayTo(span, formatTime(span.from, zone))}
              <span>{lengthInWords(span, isEstimate)}</span>
              <span title={howSeldom(span.peak)}>
                <i class={`dot heat-${heatLevel(span.peak)}`} aria-hidden="true" />
                {`highest ${formatScore(span.peak)}, ${heatWords(span.peak)}`}
              </span>
              {span.open && <span class="tag">open</span>}
            </li>
          ))}
        </ul>
      )}
      {children}
      {spans.length > listed.length && <p class="muted">The newest {MAX_LISTED} are listed.</p>}
    </section>
  );
}

function lengthInWords({ from, to, rows }: AnomalySpan, isEstimate: boolean): string {
  if (isEstimate)
    return `${formatDuration(to - from)}, about ${formatCount(Math.max(1, Math.round(rows)))} rows`;
  return rows === 1 ? 'one row' : `${formatDuration(to - from)}, ${formatCount(rows)} rows`;
}
