import type { AnomalySpan } from '../model/anomaly-spans.ts';
import { formatCount, formatDuration, formatScore, formatTime, type Zone } from '../model/format.ts';
import { heatLevel, heatWords } from '../model/heat.ts';
import { toFragment, type Window } from '../model/route.ts';

/** Spans listed at the most, the newest first. */
const MAX_LISTED = 50;

interface SpanListProperties {
  readonly name: string;
  readonly spans: readonly AnomalySpan[];
  readonly zone: Zone;
  /** Where to look at a span; null for the whole chart. */
  readonly windowOf: (span: AnomalySpan) => Window | null;
}

/** The anomalous spans in words: what the chart marks, for those who do not see it, and as a way to zoom. */
export function SpanList({ name, spans, zone, windowOf }: SpanListProperties) {
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
              <a href={toFragment({ view: 'metric', name, window: windowOf(span) })}>
                {formatTime(span.from, zone)}
              </a>
              <span>
                {span.rows === 1
                  ? 'one row'
                  : `${formatDuration(span.to - span.from)}, ${formatCount(span.rows)} rows`}
              </span>
              <span>
                <i class={`dot heat-${heatLevel(span.peak)}`} aria-hidden="true" />
                {`highest ${formatScore(span.peak)}, ${heatWords(span.peak)}`}
              </span>
              {span.open && <span class="tag">open</span>}
            </li>
          ))}
        </ul>
      )}
      <p>
        <a href={toFragment({ view: 'incidents', period: 'month', metric: name })}>
          Its incidents, to acknowledge or silence
        </a>
      </p>
      {spans.length > listed.length && <p class="muted">The newest {MAX_LISTED} are listed.</p>}
    </section>
  );
}
