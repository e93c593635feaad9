import { useState } from 'preact/hooks';
import type { ApiClient } from '../api/client.ts';
import type { Incident, Span } from '../api/contract.ts';
import { formatCount, formatScore, formatTime } from '../model/format.ts';
import { heatLevel, heatWords } from '../model/heat.ts';
import { incidentTitle, lasted, valueRange, windowOf } from '../model/incidents.ts';
import { toFragment } from '../model/route.ts';
import { zone } from '../state/preferences.ts';
import { AcknowledgeDialog, MuteDialog, UsualDialog } from './dialogs.tsx';

/** Spans of an incident that are shown until more are asked for. */
const SPANS_AT_ONCE = 5;

interface IncidentCardProperties {
  readonly incident: Incident;
  readonly client: ApiClient;
  /** Waits for a change and reads everything anew. */
  readonly onChange: (work: Promise<void>) => Promise<void>;
}

type Question = { readonly what: 'acknowledge' } | { readonly what: 'mute' | 'usual'; readonly span: Span };

/** One incident: how bad, since when, which metrics, and what may be said about it. */
export function IncidentCard({ incident, client, onChange }: IncidentCardProperties) {
  const [question, setQuestion] = useState<Question | null>(null);
  const [all, setAll] = useState(false);
  const { spans, peakLogLikelihood: peak, open } = incident;
  const close = () => setQuestion(null);
  const title = incidentTitle(incident);
  return (
    <article class={`incident heat-edge-${heatLevel(peak)}`} aria-label={title}>
      <div class="title">
        <h3>{title}</h3>
        {open && <span class="tag hot">open</span>}
        {incident.acknowledged && <span class="tag">acknowledged</span>}
        <span class="spacer" />
        {!incident.acknowledged && (
          <button type="button" onClick={() => setQuestion({ what: 'acknowledge' })}>
            Acknowledge…
          </button>
        )}
      </div>
      <p class="summary">
        <span>
          <i class={`dot heat-${heatLevel(peak)}`} aria-hidden="true" />
          {`highest ${formatScore(peak)}, ${heatWords(peak)}`}
        </span>
        <span>
          {open ? 'since' : 'from'} {formatTime(incident.openedAt, zone.value)}
        </span>
        <span>{open ? `so far ${lasted(incident)}` : lasted(incident)}</span>
      </p>
      <ul>
        {(all ? spans : spans.slice(0, SPANS_AT_ONCE)).map((span) => (
          <SpanLine
            key={`${span.uid}:${span.generation}:${span.openedRowid}`}
            span={span}
            alone={spans.length === 1}
            onAsk={(what) => setQuestion({ what, span })}
          />
        ))}
      </ul>
      {spans.length > SPANS_AT_ONCE && !all && (
        <button type="button" onClick={() => setAll(true)}>
          Show {formatCount(spans.length - SPANS_AT_ONCE)} more
        </button>
      )}
      {question?.what === 'acknowledge' && (
        <AcknowledgeDialog
          title={title}
          onConfirm={(note) => onChange(client.acknowledge(spans, note))}
          onClose={close}
        />
      )}
      {question?.what === 'mute' && (
        <MuteDialog
          pattern={question.span.name}
          onConfirm={(pattern, until, note) => onChange(client.mute(pattern, until, note))}
          onClose={close}
        />
      )}
      {question?.what === 'usual' && (
        <UsualDialog
          span={question.span}
          onConfirm={(anyTime, note) => onChange(client.callUsual(question.span, anyTime, note))}
          onClose={close}
        />
      )}
    </article>
  );
}

interface SpanLineProperties {
  readonly span: Span;
  /** The incident has no other, so what is said of the incident is not said again. */
  readonly alone: boolean;
  readonly onAsk: (what: 'mute' | 'usual') => void;
}

function SpanLine({ span, alone, onAsk }: SpanLineProperties) {
  const { name, acknowledgement, silence } = span;
  return (
    <li>
      <a href={toFragment({ view: 'metric', name, window: windowOf(span) })}>{name}</a>
      <span class="when">
        {formatTime(span.openedAt, zone.value)}, {lasted(span)}
        {!alone && !span.ended && ', open'}
      </span>
      <span class="what">
        {`highest ${formatScore(span.peakLogLikelihood)}; values ${valueRange(span.lowestValue, span.highestValue)}`}
      </span>
      <span class="span-actions">
        {silence === null ? (
          <>
            <button type="button" aria-label={`This was fine: ${name}…`} onClick={() => onAsk('usual')}>
              This was fine…
            </button>
            <button type="button" aria-label={`Mute ${name}…`} onClick={() => onAsk('mute')}>
              Mute…
            </button>
          </>
        ) : (
          <span class="tag">{silence.by === 'mute' ? 'muted' : 'called usual'}</span>
        )}
      </span>
      {acknowledgement !== null && (
        <span class="said muted">
          Acknowledged {formatTime(acknowledgement.at, zone.value)}
          {acknowledgement.note !== '' && `: ${acknowledgement.note}`}
        </span>
      )}
    </li>
  );
}
