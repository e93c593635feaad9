import { useEffect, useMemo, useState } from 'preact/hooks';
import { ChartPane } from '../metric/chart-pane.tsx';
import { SpanList } from '../metric/span-list.tsx';
import { anomalySpans } from '../model/anomaly-spans.ts';
import { formatCount, formatValue } from '../model/format.ts';
import type { Window } from '../model/route.ts';
import { usualRange } from '../model/usual-range.ts';
import { around } from '../model/zoom.ts';
import { zone } from '../state/preferences.ts';
import { Trial, type TrialState } from '../state/trial.ts';
import { DropZone } from './drop-zone.tsx';
import { MAX_ROWS } from './messages.ts';

/** A span is shown with at least this many seconds around it. */
const LEAST_AROUND = 6 * 3600;

/** A file's anomalies at once, found in this browser: to see what the engine would say of one's own data. */
export function TryIt() {
  const [trial] = useState(() => new Trial());
  useEffect(() => () => trial.stop(), [trial]);
  const state = trial.state.value;
  return (
    <>
      <div class="toolbar">
        <h1>Try it</h1>
        {state !== null && <span class="count">{state.file.name}</span>}
        <span class="spacer" />
        {(state?.phase === 'reading' || state?.phase === 'scoring') && (
          <button type="button" onClick={() => trial.stop()}>
            Stop
          </button>
        )}
      </div>
      <DropZone small={state !== null} onFile={(file) => trial.begin(file)} />
      {state !== null && (
        <Outcome
          key={`${state.file.name} ${state.file.lastModified} ${state.file.size}`}
          state={state}
          trial={trial}
        />
      )}
    </>
  );
}

interface OutcomeProperties {
  readonly state: TrialState;
  readonly trial: Trial;
}

function Outcome({ state, trial }: OutcomeProperties) {
  const { columns, phase, problem } = state;
  const [window, setWindow] = useState<Window | null>(null);
  const spans = useMemo(() => anomalySpans(columns.timestamps, columns.scores), [columns]);
  const settled = phase === 'done' || phase === 'stopped';
  const usual = useMemo(
    () => (settled ? usualRange(columns, `these ${formatCount(columns.timestamps.length)} rows`) : null),
    [columns, settled],
  );
  const extent = { from: columns.timestamps[0] ?? 0, to: columns.timestamps.at(-1) ?? 0 };
  return (
    <>
      {problem !== null && (
        <p class="banner bad" role="alert">
          {problem}
        </p>
      )}
      <ColumnChoice state={state} trial={trial} />
      <p class="standing" role="status">
        {inWords(state, spans.length)}
      </p>
      {columns.timestamps.length > 0 && (
        <>
          <ChartPane
            columns={columns}
            window={window}
            extent={extent}
            beginsWithAll
            spans={spans}
            usual={usual}
            onWindow={setWindow}
          />
          <SpanList
            spans={spans}
            isEstimate={false}
            zone={zone.value}
            wayTo={(span, time) => (
              <button
                type="button"
                class="link"
                onClick={() => setWindow(around(span, LEAST_AROUND, extent))}
              >
                {time}
              </button>
            )}
          />
        </>
      )}
    </>
  );
}

/** Which columns are used, and the way to use others. */
function ColumnChoice({ state: { file, header, series, problem }, trial }: OutcomeProperties) {
  const [time, setTime] = useState('');
  const [value, setValue] = useState('');
  if (header.length === 0 || (problem === null && header.length <= 2)) return null;
  const list = (label: string, chosen: string, set: (to: string) => void) => (
    <label>
      {label}{' '}
      <select value={chosen} onChange={({ currentTarget }) => set(currentTarget.value)}>
        <option value="">found by itself</option>
        {header.map((title, i) => (
          <option key={i} value={title}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <form
      class="columns"
      onSubmit={(event) => {
        event.preventDefault();
        trial.begin(file, {
          timestamp: time === '' ? undefined : time,
          value: value === '' ? undefined : value,
        });
      }}
    >
      {list('Time', time === '' ? (series?.time ?? '') : time, setTime)}
      {list('Value', value === '' ? (series?.value ?? '') : value, setValue)}
      <button type="submit">Use these columns</button>
    </form>
  );
}

function inWords({ phase, columns, share, series, end, problem }: TrialState, spans: number): string {
  const rows = columns.timestamps.length;
  if (problem !== null && rows === 0) return '';
  if (phase === 'reading') return 'Reading the file to find the range of its values…';
  const found = `${spans === 0 ? 'no' : formatCount(spans)} anomalous ${spans === 1 ? 'span' : 'spans'}`;
  if (phase === 'scoring') return `${Math.round(100 * share)} %: ${formatCount(rows)} rows, ${found} so far`;
  return [
    `${formatCount(rows)} rows, ${found}.`,
    series === null
      ? ''
      : `Model of “${series.value}” with values from ${formatValue(series.min)} to ${formatValue(series.max)}.`,
    series !== null && rows <= series.learningRows
      ? `A model only learns from the first ${series.learningRows} rows, so nothing of this file could be scored.`
      : '',
    phase === 'stopped' ? 'Stopped before the end of the file.' : '',
    end?.cut === true ? `The file goes on; the first ${formatCount(MAX_ROWS)} rows were used.` : '',
    end !== null && end.badRows > 0
      ? `${formatCount(end.badRows)} rows were left out, the first one for this: ${end.example ?? ''}.`
      : '',
  ]
    .filter((sentence) => sentence !== '')
    .join(' ');
}
