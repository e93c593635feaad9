import { useEffect, useState } from 'preact/hooks';
import type { AnomalySpan } from '../model/anomaly-spans.ts';
import type { Window } from '../model/route.ts';
import type { Columns } from '../model/thinning.ts';
import { moveBy, zoomBy } from '../model/zoom.ts';
import { theme, zone } from '../state/preferences.ts';
import { Chart } from './chart.tsx';

const PRESETS = [
  { label: '6 h', seconds: 6 * 3600 },
  { label: '1 d', seconds: 86_400 },
  { label: '7 d', seconds: 7 * 86_400 },
  { label: '30 d', seconds: 30 * 86_400 },
] as const;

interface ChartPaneProperties {
  readonly columns: Columns;
  /** The stretch asked for; null for the newest rows. */
  readonly window: Window | null;
  readonly spans: readonly AnomalySpan[];
  /** The metric's last time. */
  readonly last: number;
  readonly onWindow: (window: Window | null) => void;
}

/** The chart with its zoom, by mouse, buttons and keyboard. */
export function ChartPane({ columns, window, spans, last, onWindow }: ChartPaneProperties) {
  const bounds = boundsOf(columns);
  const shown = shownWindow(window, bounds);
  const scheme = useScheme();
  const actions: Record<string, () => void> = {
    '+': () => onWindow(zoomBy(shown, 0.5, bounds)),
    '=': () => onWindow(zoomBy(shown, 0.5, bounds)),
    '-': () => onWindow(zoomBy(shown, 2, bounds)),
    ArrowLeft: () => onWindow(moveBy(shown, -0.25, bounds)),
    ArrowRight: () => onWindow(moveBy(shown, 0.25, bounds)),
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
              aria-pressed={window !== null && window.to === last && window.from === last - seconds}
              onClick={() => onWindow({ from: last - seconds, to: last })}
            >
              {label}
            </button>
          ))}
        </div>
        <div class="group" role="group" aria-label="Zoom">
          {button('−', 'Zoom out', '-', window === null)}
          {button('+', 'Zoom in', '+')}
          {button('←', 'Earlier', 'ArrowLeft', window === null)}
          {button('→', 'Later', 'ArrowRight', window === null)}
          <button type="button" disabled={window === null} onClick={() => onWindow(null)}>
            Reset
          </button>
        </div>
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
          zone={zone.value}
          scheme={scheme}
          onZoom={onWindow}
        />
      </div>
    </section>
  );
}

function boundsOf({ timestamps }: Columns): Window {
  const from = timestamps[0] ?? 0;
  const to = timestamps.at(-1) ?? from;
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
