import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { AnomalySpan } from '../model/anomaly-spans.ts';
import type { Zone } from '../model/format.ts';
import type { Window } from '../model/route.ts';
import type { UsualRange } from '../model/usual-range.ts';
import { type Columns, rowsBetween, thin } from '../model/thinning.ts';
import { type ChartColours, chartOptions } from './chart-options.ts';

/** Points drawn for a pixel of width at the most: a low and a high value and a score for every second pixel. */
const POINTS_PER_PIXEL = 2;
/** Of one line, before it is there to be measured. */
const LEGEND_HEIGHT = 32;

interface ChartProperties {
  readonly columns: Columns;
  /** What is in view. */
  readonly window: Window;
  readonly spans: readonly AnomalySpan[];
  /** Drawn behind the values; null for none. */
  readonly usual: UsualRange | null;
  readonly zone: Zone;
  /** Changes whenever the colours do. */
  readonly scheme: string;
  readonly onZoom: (to: Window) => void;
}

/** Values and scores on one time axis; dragging over a stretch zooms to it. */
export function Chart({ columns, window, spans, usual, zone, scheme, onZoom }: ChartProperties) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  // The plot outlives many renderings: its handlers are to see the newest.
  const latest = useRef({ columns, window, spans, usual, onZoom });
  latest.current = { columns, window, spans, usual, onZoom };
  const extras = { usual: usual !== null, predictions: columns.predictions !== undefined };

  const draw = useMemo(
    () => () => {
      if (plot.current !== null) drawWindow(plot.current, latest.current);
    },
    [],
  );

  useLayoutEffect(() => {
    const element = host.current;
    if (element === null) return;
    const made = new uPlot(
      chartOptions(
        sizeOf(element),
        zone,
        readColours(element),
        { spans: () => latest.current.spans, zoom: (to) => latest.current.onZoom(to) },
        extras,
      ),
      [[], [], [], ...(extras.usual ? [[], []] : []), ...(extras.predictions ? [[]] : [])],
      element,
    );
    plot.current = made;
    fit(made, element);
    draw();
    const observer = new ResizeObserver(() => {
      fit(made, element);
      draw();
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [zone, scheme, extras.usual, extras.predictions]);

  useEffect(draw, [columns, window.from, window.to, spans, usual]);

  return <div ref={host} class="chart" data-testid="chart" />;
}

function drawWindow(
  plot: uPlot,
  { columns, window, usual }: Pick<ChartProperties, 'columns' | 'window' | 'usual'>,
): void {
  const [begin, end] = rowsBetween(columns.timestamps, window.from, window.to);
  const { timestamps, values, scores, predictions } = thin(
    columns,
    begin,
    end,
    POINTS_PER_PIXEL * plot.width,
  );
  const ranges = usual === null ? null : timestamps.map((time) => usual.at(time));
  const data: uPlot.AlignedData = [
    [...timestamps],
    [...values],
    [...scores],
    ...(ranges === null
      ? []
      : [ranges.map((range) => range?.low ?? null), ranges.map((range) => range?.high ?? null)]),
    ...(predictions === undefined ? [] : [[...predictions]]),
  ];
  plot.batch(() => {
    plot.setData(data, false);
    plot.setScale('x', { min: window.from, max: window.to });
  });
}

/** Twice, because the legend may take other lines at another width. */
function fit(plot: uPlot, element: HTMLElement): void {
  plot.setSize(sizeOf(element));
  plot.setSize(sizeOf(element));
}

/** What there is room for in the element, less what the legend below the plot takes. */
function sizeOf(element: HTMLElement): { width: number; height: number } {
  const { width, height } = element.getBoundingClientRect();
  const legend = element.querySelector<HTMLElement>('.u-legend')?.offsetHeight ?? LEGEND_HEIGHT;
  return { width: Math.max(200, Math.floor(width)), height: Math.max(160, Math.floor(height) - legend) };
}

/** The theme's colours as the canvas understands them. */
function readColours(element: HTMLElement): ChartColours {
  const probe = document.createElement('i');
  element.append(probe);
  const read = (name: string) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const colours = {
    text: read('muted'),
    grid: read('line'),
    value: read('chart-value'),
    score: read('chart-score'),
    scoreFill: read('chart-score-fill'),
    span: read('chart-span'),
    spanEdge: read('chart-span-edge'),
    usual: read('chart-usual'),
    prediction: read('chart-prediction'),
  };
  probe.remove();
  return colours;
}
