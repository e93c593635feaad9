import { useEffect, useState } from 'preact/hooks';
import type { AnomalySpan } from '../model/anomaly-spans.ts';
import type { Window } from '../model/route.ts';
import type { Columns } from '../model/thinning.ts';
import type { UsualRange } from '../model/usual-range.ts';
import { moveBy, zoomBy } from '../model/zoom.ts';
import { showsUsual, theme, zone } from '../state/preferences.ts';
import { Chart } from './chart.tsx';

const PRESETS = [
  { label: '6 h', seconds: 6 * 3600 },
  { label: '1 d', seconds: 86_400 },
  { label: '7 d', seconds: 7 * 86_400 },
  { label: '30 d', seconds: 30 * 86_400 },
] as const;

interface ChartPaneProperties {
  readonly columns: Columns;
  /** The stretch asked for; null for what is shown to begin with. */
  readonly window: Window | null;
  /** From the first row there is to the last. */
  readonly extent: Window;
  /** Whether all of that is shown to begin with. */
  readonly beginsWithAll: boolean;
  readonly spans: readonly AnomalySpan[];
  /** Null where the rows do not tell of one. */
  readonly usual: UsualRange | null;
  readonly onWindow: (window: Window | null) => void;
}

/** The chart with its zoom, by mouse, buttons and keyboard. */
export function ChartPane(properties: ChartPaneProperties) {
  const { columns, window, extent, beginsWithAll, spans, usual } = properties;
  const bounds = atLeastAMinute(extent);
  const all = beginsWithAll ? null : bounds;
  const shown = window === null ? boundsOf(columns) : shownWindow(window, bounds);
  const onWindow = properties.onWindow;
  /** Null stands for everything here. */
  const show = (to: Window | null) => onWindow(to ?? all);
  const isAll = shown.from <= bounds.from && shown.to >= bounds.to;
  const scheme = useScheme();
  const drawnUsual = showsUsual.value === 'yes' ? usual : null;
  const actions: Record<string, () => void> = {
    '+': () => show(zoomBy(shown, 0.5, bounds)),
    '=': () => show(zoomBy(shown, 0.5, bounds)),
    '-': () => show(zoomBy(shown, 2, bounds)),
    ArrowLeft: () => show(moveBy(shown, -0.25, bounds)),
    ArrowRight: () => show(moveBy(shown, 0.25, bounds)),
    '0': () => onWindow(null),
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const action = event.ctrlKey || event.metaKey || event.altKey ? undefined : actions[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  };
  const button = (label: string, description: string, key: string, disabled = false) => (
    <button
      type="button"
      aria-label={description}
      title={description}
      disabled={disabled}
      onClick={actions[key]}
    >
      {label}
    </button>
  );
  return (
    <section class="chart-pane" aria-label="Values and anomaly scores">
      <div class="chart-tools">
        <div class="group" role="group" aria-label="Stretch of time">
          {PRESETS.map(({ label, seconds }) => (
            <button
              key={label}
              type="button"
              aria-pressed={window !== null && window.to === extent.to && window.from === extent.to - seconds}
              onClick={() => onWindow({ from: extent.to - seconds, to: extent.to })}
            >
              {label}
            </button>
          ))}
          <button type="button" aria-pressed={isAll} onClick={() => show(null)}>
            All
          </button>
        </div>
        <div class="group" role="group" aria-label="Zoom">
          {button('−', 'Zoom out', '-', isAll)}
          {button('+', 'Zoom in', '+')}
          {button('←', 'Earlier', 'ArrowLeft', shown.from <= bounds.from)}
          {button('→', 'Later', 'ArrowRight', shown.to >= bounds.to)}
          <button type="button" disabled={window === null} onClick={() => onWindow(null)}>
            Reset
          </button>
        </div>
        {usual !== null && (
          <button
            type="button"
            aria-pressed={drawnUsual !== null}
            onClick={() => (showsUsual.value = drawnUsual === null ? 'yes' : 'no')}
          >
            Usual range
          </button>
        )}
        <span class="hint">Drag over the chart to zoom; with the keyboard + − ← → and 0</span>
      </div>
      <div
        class="chart-frame"
        tabIndex={0}
        role="application"
        aria-label="Chart: plus and minus zoom, arrows move, 0 resets. The anomalous spans are listed below."
        onKeyDown={onKeyDown}
        onDblClick={() => onWindow(null)}
      >
        <Chart
          columns={columns}
          window={shown}
          spans={spans}
          usual={drawnUsual}
          zone={zone.value}
          scheme={scheme}
          onZoom={onWindow}
        />
      </div>
      {drawnUsual !== null && (
        <p class="muted">
          Shaded: {drawnUsual.words}. It is read off the rows; the model learns sequences, not a range.
        </p>
      )}
      {columns.predictions !== undefined && (
        <p class="muted">Dashed: the value that the model expected, one row before.</p>
      )}
    </section>
  );
}

function boundsOf({ timestamps }: Columns): Window {
  const from = timestamps[0] ?? 0;
  return atLeastAMinute({ from, to: timestamps.at(-1) ?? from });
}

function atLeastAMinute({ from, to }: Window): Window {
  return from < to ? { from, to } : { from: from - 60, to: to + 60 };
}

/** What of the window has rows; all rows if none of it has. */
function shownWindow(window: Window | null, bounds: Window): Window {
  if (window === null) return bounds;
  const from = Math.max(window.from, bounds.from);
  const to = Math.min(window.to, bounds.to);
  return from < to ? { from, to } : bounds;
}

/** Changes when the colours do: by choice, or when the system changes from day to night. */
function useScheme(): string {
  const [dark] = useState(() => matchMedia('(prefers-color-scheme: dark)'));
  const [isDark, setIsDark] = useState(dark.matches);
  useEffect(() => {
    const changed = () => setIsDark(dark.matches);
    dark.addEventListener('change', changed);
    return () => dark.removeEventListener('change', changed);
  }, [dark]);
  return `${theme.value} ${isDark}`;
}
