import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Span } from '../api/contract.ts';
import { valueRange } from '../model/incidents.ts';
import { Dialog } from '../widgets/dialog.tsx';

const MAX_NOTE_CHARACTERS = 1000;
const MUTE_TIMES = [
  { words: '1 hour', seconds: 3600 },
  { words: '8 hours', seconds: 8 * 3600 },
  { words: '1 day', seconds: 86_400 },
  { words: '1 week', seconds: 7 * 86_400 },
  { words: 'For ever', seconds: Infinity },
] as const;

interface AcknowledgeProperties {
  /** Of the incident. */
  readonly title: string;
  readonly onConfirm: (note: string) => Promise<void>;
  readonly onClose: () => void;
}

export function AcknowledgeDialog({ title, onConfirm, onClose }: AcknowledgeProperties) {
  const [note, setNote] = useState('');
  return (
    <Dialog
      title={`Acknowledge ${title}?`}
      action="Acknowledge"
      onConfirm={() => onConfirm(note)}
      onClose={onClose}
    >
      <p>It says, for good, that somebody has seen this. Anomalies that come later are not covered by it.</p>
      <Note note={note} onNote={setNote} />
    </Dialog>
  );
}

interface MuteProperties {
  /** To begin with. */
  readonly pattern: string;
  /** @param until epoch seconds; null for ever */
  readonly onConfirm: (pattern: string, until: number | null, note: string) => Promise<void>;
  readonly onClose: () => void;
}

export function MuteDialog({ pattern: given, onConfirm, onClose }: MuteProperties) {
  const [pattern, setPattern] = useState(given);
  const [seconds, setSeconds] = useState<number>(MUTE_TIMES[0].seconds);
  const [note, setNote] = useState('');
  const until = () => (Number.isFinite(seconds) ? Math.ceil(Date.now() / 1000 + seconds) : null);
  return (
    <Dialog title="Mute" action="Mute" onConfirm={() => onConfirm(pattern, until(), note)} onClose={onClose}>
      <p>
        Anomalies that begin from now on are silenced: still scored and kept, but folded away. What has begun
        already stays. The mute is listed below the incidents and can be removed at any time.
      </p>
      <div class="fields one">
        <Field label="Name, or pattern: * is any text, ? any one character">
          <input
            type="text"
            required
            maxLength={255}
            value={pattern}
            onInput={({ currentTarget }) => setPattern(currentTarget.value)}
          />
        </Field>
        <Field label="For">
          <select
            value={String(seconds)}
            onChange={({ currentTarget }) => setSeconds(Number(currentTarget.value))}
          >
            {MUTE_TIMES.map(({ words, seconds: each }) => (
              <option key={words} value={String(each)}>
                {words}
              </option>
            ))}
          </select>
        </Field>
      </div>
      <Note note={note} onNote={setNote} />
    </Dialog>
  );
}

interface UsualProperties {
  readonly span: Span;
  readonly onConfirm: (anyTime: boolean, note: string) => Promise<void>;
  readonly onClose: () => void;
}

export function UsualDialog({ span, onConfirm, onClose }: UsualProperties) {
  const [anyTime, setAnyTime] = useState(false);
  const [note, setNote] = useState('');
  return (
    <Dialog
      title={`${span.name}: this was fine?`}
      action="This was fine"
      onConfirm={() => onConfirm(anyTime, note)}
      onClose={onClose}
    >
      <p>
        It records that for this metric values of about {valueRange(span.lowestValue, span.highestValue)}{' '}
        (more on either side: a tenth of that range, or a twentieth of the value) are usual
        {anyTime ? ' at any time of day' : ' at this time of day, give or take an hour'}. Anomalies like it,
        past and to come, are silenced.
      </p>
      <p>
        Model and scores stay as they are. It is listed below the incidents as a usual pattern, and can be
        taken back there.
      </p>
      <label class="check">
        <input
          type="checkbox"
          checked={anyTime}
          onChange={({ currentTarget }) => setAnyTime(currentTarget.checked)}
        />
        At any time of day
      </label>
      <Note note={note} onNote={setNote} />
    </Dialog>
  );
}

function Note({ note, onNote }: { readonly note: string; readonly onNote: (note: string) => void }) {
  return (
    <div class="fields one">
      <Field label="Note, for those who look later">
        <input
          type="text"
          maxLength={MAX_NOTE_CHARACTERS}
          value={note}
          onInput={({ currentTarget }) => onNote(currentTarget.value)}
        />
      </Field>
    </div>
  );
}

function Field({ label, children }: { readonly label: string; readonly children: ComponentChildren }) {
  return (
    <label>
      {label}
      {children}
    </label>
  );
}
