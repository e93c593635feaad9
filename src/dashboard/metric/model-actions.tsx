import { useState } from 'preact/hooks';
import type { ApiClient } from '../api/client.ts';
import type { ModelDetails, Restart } from '../api/contract.ts';
import { formatTime, type Zone } from '../model/format.ts';
import { parseTime } from '../model/parse-time.ts';
import type { Window } from '../model/route.ts';
import { zone } from '../state/preferences.ts';
import { Dialog } from '../widgets/dialog.tsx';

interface ModelActionsProperties {
  readonly name: string;
  readonly model: ModelDetails;
  readonly client: ApiClient;
  /** An interval to begin with. */
  readonly window: Window;
  readonly onChange: (work: Promise<void>) => Promise<void>;
}

type Question = Restart | 'learning' | 'interval' | 'reset';

const RESTARTS: Readonly<Record<Restart, { readonly button: string; readonly words: string }>> = {
  retry: { button: 'Try again', words: 'The model goes on from where it stood, with the same row.' },
  skip: {
    button: 'Go on without the row',
    words:
      'The row at which it failed is left out, which is recorded; it gets no score. The model goes on with the next one.',
  },
  relearn: {
    button: 'Learn anew',
    words:
      'The model and all its scores go; a new generation learns from the first stored row on. Until it has caught up nothing is scored.',
  },
};

/** What may be done to a model, each with a question first. */
export function ModelActions({ name, model, client, window, onChange }: ModelActionsProperties) {
  const [asking, setAsking] = useState<Question | null>(null);
  const close = () => setAsking(null);
  const restart = RESTARTS[asking as Restart] as (typeof RESTARTS)[Restart] | undefined;
  const runs = model.failure === null && model.startRowid !== null;
  const button = (question: Question, words: string) => (
    <button key={question} type="button" onClick={() => setAsking(question)}>
      {words}…
    </button>
  );
  return (
    <div class="model-actions">
      {model.restarts.map((how) => button(how, RESTARTS[how].button))}
      {runs && button('learning', model.learns ? 'Switch learning off' : 'Switch learning on')}
      {runs && button('interval', 'Do not learn from')}
      {runs && button('reset', 'Begin a new sequence')}
      {restart !== undefined && (
        <Dialog
          title={`${restart.button}: ${name}?`}
          action={restart.button}
          danger={asking === 'relearn'}
          onConfirm={() => onChange(client.restart(name, asking as Restart))}
          onClose={close}
        >
          <p>{restart.words}</p>
        </Dialog>
      )}
      {asking === 'learning' && (
        <Dialog
          title={`Switch learning ${model.learns ? 'off' : 'on'}: ${name}?`}
          action={model.learns ? 'Switch off' : 'Switch on'}
          onConfirm={() => onChange(client.setLearning(name, !model.learns))}
          onClose={close}
        >
          <p>
            {model.learns
              ? 'From the next row on the model scores by what it has learned until now, and learns nothing more.'
              : 'From the next row on the model learns again.'}
          </p>
        </Dialog>
      )}
      {asking === 'reset' && (
        <Dialog
          title={`Begin a new sequence: ${name}?`}
          action="Begin"
          onConfirm={() => onChange(client.resetSequence(name))}
          onClose={close}
        >
          <p>The next row is taken as the beginning of a new sequence; what was learned stays.</p>
        </Dialog>
      )}
      {asking === 'interval' && (
        <IntervalDialog
          name={name}
          window={window}
          shownZone={zone.value}
          onConfirm={(interval, relearn) => onChange(client.doNotLearn(name, interval, relearn))}
          onClose={close}
        />
      )}
    </div>
  );
}

interface IntervalDialogProperties {
  readonly name: string;
  readonly window: Window;
  /** Of the times that are typed. */
  readonly shownZone: Zone;
  readonly onConfirm: (interval: Window, relearn: boolean) => Promise<void>;
  readonly onClose: () => void;
}

function IntervalDialog({ name, window, shownZone, onConfirm, onClose }: IntervalDialogProperties) {
  const [from, setFrom] = useState(formatTime(window.from, shownZone));
  const [to, setTo] = useState(formatTime(window.to, shownZone));
  const [relearn, setRelearn] = useState(false);
  const field = (label: string, text: string, set: (text: string) => void) => (
    <label>
      {label}
      <input type="text" required value={text} onInput={({ currentTarget }) => set(currentTarget.value)} />
    </label>
  );
  return (
    <Dialog
      title={`${name}: do not learn from an interval`}
      action="Do not learn"
      onConfirm={async () => onConfirm(intervalOf(from, to, shownZone), relearn)}
      onClose={onClose}
    >
      <p>
        Rows of this time are scored and change nothing of the model: a holiday, maintenance. Times are{' '}
        {shownZone === 'utc' ? 'UTC' : 'those of this browser'}.
      </p>
      <div class="fields">
        {field('From', from, setFrom)}
        {field('To', to, setTo)}
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={relearn}
          onChange={({ currentTarget }) => setRelearn(currentTarget.checked)}
        />
        If some of them are learned already: learn anew without them
      </label>
    </Dialog>
  );
}

/** @throws Error that says in words what is wrong */
function intervalOf(fromText: string, toText: string, shownZone: Zone): Window {
  const [from, to] = [parseTime(fromText, shownZone), parseTime(toText, shownZone)];
  if (from > to) throw new Error('It ends before it begins.');
  return { from, to };
}
