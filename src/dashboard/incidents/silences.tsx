import { useState } from 'preact/hooks';
import type { ApiClient } from '../api/client.ts';
import type { Mute, UsualPattern } from '../api/contract.ts';
import { formatCount, formatTime } from '../model/format.ts';
import { timeOfDay, valueRange } from '../model/incidents.ts';
import type { Fleet } from '../state/fleet.ts';
import type { PolledState } from '../state/polled.ts';
import { zone } from '../state/preferences.ts';
import { Dialog } from '../widgets/dialog.tsx';
import { MuteDialog } from './dialogs.tsx';

interface SilencesProperties {
  readonly state: PolledState<{
    readonly mutes: readonly Mute[];
    readonly patterns: readonly UsualPattern[];
  }>;
  readonly fleet: Fleet;
  readonly client: ApiClient;
  readonly onChange: (work: Promise<void>) => Promise<void>;
}

type Question =
  | { readonly what: 'mute' }
  | { readonly what: 'unmute'; readonly mute: Mute }
  | { readonly what: 'forget'; readonly pattern: UsualPattern; readonly name: string };

/** What people have silenced: mutes and usual patterns, each of which can be taken back. */
export function Silences({ state, fleet, client, onChange }: SilencesProperties) {
  const [question, setQuestion] = useState<Question | null>(null);
  const { mutes = [], patterns = [] } = state.value ?? {};
  const names = new Map([...fleet.metrics.value.values()].map(({ uid, name }) => [uid, name]));
  const close = () => setQuestion(null);
  return (
    <>
      <section class="panel" aria-label="Mutes">
        <div class="title">
          <h2>
            Mutes <span class="count">{formatCount(mutes.length)}</span>
          </h2>
          <span class="spacer" />
          <button type="button" onClick={() => setQuestion({ what: 'mute' })}>
            Mute metrics…
          </button>
        </div>
        {mutes.length === 0 && <p class="muted">Nothing is muted.</p>}
        <ul>
          {mutes.map((mute) => (
            <li key={mute.id}>
              <strong>{mute.pattern}</strong>
              <span>{untilWords(mute)}</span>
              <span class="said muted">{mute.note}</span>
              <button
                type="button"
                aria-label={`Remove the mute of ${mute.pattern}…`}
                onClick={() => setQuestion({ what: 'unmute', mute })}
              >
                Remove…
              </button>
            </li>
          ))}
        </ul>
      </section>
      <section class="panel" aria-label="Usual patterns">
        <h2>
          Usual patterns <span class="count">{formatCount(patterns.length)}</span>
        </h2>
        {patterns.length === 0 && <p class="muted">Nothing has been called usual.</p>}
        <ul>
          {patterns.map((pattern) => {
            const name = names.get(pattern.uid) ?? pattern.uid;
            return (
              <li key={pattern.id}>
                <strong>{name}</strong>
                <span>
                  values {valueRange(pattern.lowestValue, pattern.highestValue)}, {timeOfDay(pattern)}
                </span>
                <span class="said muted">{pattern.note}</span>
                <button
                  type="button"
                  aria-label={`Take back what is usual for ${name}…`}
                  onClick={() => setQuestion({ what: 'forget', pattern, name })}
                >
                  Take back…
                </button>
              </li>
            );
          })}
        </ul>
      </section>
      {state.problem !== null && state.value === null && (
        <p class="muted">Mutes and usual patterns could not be read: {state.problem}</p>
      )}
      {question?.what === 'mute' && (
        <MuteDialog
          pattern=""
          onConfirm={(pattern, until, note) => onChange(client.mute(pattern, until, note))}
          onClose={close}
        />
      )}
      {question?.what === 'unmute' && (
        <Dialog
          title={`Remove the mute of ${question.mute.pattern}?`}
          action="Remove"
          onConfirm={() => onChange(client.unmute(question.mute.id))}
          onClose={close}
        >
          <p>What it silenced, past and present, is among the incidents again.</p>
        </Dialog>
      )}
      {question?.what === 'forget' && (
        <Dialog
          title={`Is it not usual for ${question.name} after all?`}
          action="Take back"
          onConfirm={() => onChange(client.forgetUsual(question.pattern.id))}
          onClose={close}
        >
          <p>What it silenced, past and present, is among the incidents again.</p>
        </Dialog>
      )}
    </>
  );
}

function untilWords({ until }: Mute): string {
  if (until === null) return 'for ever';
  const time = formatTime(until, zone.value);
  return until * 1000 <= Date.now() ? `over since ${time}` : `until ${time}`;
}
