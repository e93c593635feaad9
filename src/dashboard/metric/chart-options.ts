import uPlot from 'uplot';
import { type AnomalySpan, SPAN_OPENS_AT } from '../model/anomaly-spans.ts';
import { formatScore, formatTime, formatValue, type Zone } from '../model/format.ts';
import type { Window } from '../model/route.ts';

/** The share of the plot's height, from below, that belongs to the scores; the values have the rest. */
const SCORE_SHARE = 0.27;
const GAP_SHARE = 0.05;
const LEAST_SPAN_PIXELS = 3;
const AXIS_FONT = '12px system-ui, sans-serif';
const DATE = '\n{YYYY}-{MM}-{DD}';
const DAY = '\n{MM}-{DD}';
/**
 * Labels of the time axis, in uPlot's form: distance of the marks in seconds, label, and what is added where the year,
 * the month, the day, the hour, the minute changes; 1 adds to the label, 0 replaces it. The first label counts as a change
 * of the year, so it has the whole date.
 */
const TIME_LABELS: (number | string | null)[][] = [
  [365 * 86_400, '{YYYY}', null, null, null, null, null, null, 1],
  [28 * 86_400, '{YYYY}-{MM}', null, null, null, null, null, null, 1],
  [86_400, '{MM}-{DD}', '\n{YYYY}', null, null, null, null, null, 1],
  [3600, '{HH}:{mm}', DATE, null, DAY, null, null, null, 1],
  [60, '{HH}:{mm}', DATE, null, DAY, null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', DATE, null, DAY, null, null, null, 1],
];

/** Colours for the canvas, which knows no CSS variables. */
export interface ChartColours {
  readonly text: string;
  readonly grid: string;
  readonly value: string;
  readonly score: string;
  readonly scoreFill: string;
  readonly span: string;
  readonly spanEdge: string;
  readonly usual: string;
  readonly prediction: string;
}

/** What is drawn beside values and scores. */
export interface ChartExtras {
  /** The usual range: two more columns, its low and its high end. */
  readonly usual: boolean;
  /** What the model predicted: one more column. */
  readonly predictions: boolean;
}

export interface ChartHandlers {
  /** The spans to mark, as they are when the chart is drawn. */
  spans: () => readonly AnomalySpan[];
  zoom: (to: Window) => void;
}

/** One plot of two stacked panes over one time axis: values above, scores below. */
export function chartOptions(
  size: { width: number; height: number },
  zone: Zone,
  colours: ChartColours,
  handlers: ChartHandlers,
  { usual, predictions }: ChartExtras,
): uPlot.Options {
  const axis = { stroke: colours.text, font: AXIS_FONT, ticks: { show: false } };
  const grid = { stroke: colours.grid, width: 1 };
  return {
    ...size,
    ...(zone === 'utc' && { tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC') }),
    cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
    scales: {
      x: { time: true },
      value: { range: (_plot, low, high) => valueRange(low, high) },
      score: { range: () => [0, 1 / SCORE_SHARE] },
    },
    series: [
      {
        label: 'Time',
        value: (_plot, time: number | null) => (time === null ? '–' : formatTime(time, zone)),
      },
      {
        label: 'Value',
        scale: 'value',
        stroke: colours.value,
        width: 1.5,
        points: { show: false },
        value: (_plot, value: number | null) => formatValue(value),
      },
      {
        label: 'Score',
        scale: 'score',
        stroke: colours.score,
        fill: colours.scoreFill,
        width: 1.5,
        points: { show: false },
        value: (_plot, score: number | null) => formatScore(score),
      },
      ...(usual
        ? [
            { ...rangeEnd('Usual'), value: usualInWords },
            { ...rangeEnd('Usual, its end'), class: 'unlisted' },
          ]
        : []),
      ...(predictions
        ? [{ ...rangeEnd('Predicted'), stroke: colours.prediction, width: 1.5, dash: [5, 4] }]
        : []),
    ],
    // The high end before the low one, as uPlot wants it.
    ...(usual && { bands: [{ series: [USUAL_HIGH, USUAL_LOW], fill: colours.usual }] }),
    axes: [
      { ...axis, grid, values: TIME_LABELS },
      {
        ...axis,
        scale: 'value',
        grid: { ...grid, filter: aboveScores },
        filter: aboveScores,
        values: (_plot, splits) =>
          splits.map((split: number | null) => (split === null ? '' : formatValue(split))),
        size: widthOfLabels,
      },
      {
        ...axis,
        scale: 'score',
        // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- the right; the enum of uPlot's types does not exist at run time
        side: 1,
        grid: { show: false },
        splits: () => [0, SPAN_OPENS_AT, 1],
        values: () => ['0', String(SPAN_OPENS_AT), '1'],
        size: 36,
      },
    ],
    hooks: {
      drawClear: [(plot) => drawSpans(plot, handlers.spans(), colours)],
      draw: [(plot) => drawThreshold(plot, colours)],
      setSelect: [(plot) => zoomToSelection(plot, handlers.zoom)],
    },
  };
}

/** Columns of the usual range, after times, values and scores. */
const USUAL_LOW = 3;
const USUAL_HIGH = 4;

/** Both ends of the usual range, as one entry of the legend. */
function usualInWords({ data }: uPlot, low: number | null, _series: number, index: number | null): string {
  const high = index === null ? null : data[USUAL_HIGH]?.[index];
  return low === null || high === null || high === undefined
    ? '–'
    : `${formatValue(low)} to ${formatValue(high)}`;
}

/** A line on the scale of the values, not drawn by itself. */
function rangeEnd(label: string): uPlot.Series {
  return {
    label,
    scale: 'value',
    points: { show: false },
    value: (_plot, value: number | null) => formatValue(value),
  };
}

/** The values' range, stretched downward so that the lowest value lies above the scores' pane. */
function valueRange(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [-1, 1];
  const length = high - low || Math.abs(high) * 0.2 || 1;
  const bottom = high === low ? low - length / 2 : low;
  const top = bottom + length * 1.06;
  const below = SCORE_SHARE + GAP_SHARE;
  return [top - (top - bottom) / (1 - below), top];
}

/** The axis' values that lie above the scores' pane; null hides one. */
function aboveScores(plot: uPlot, splits: number[]): (number | null)[] {
  const { min = 0, max = 1 } = plot.scales['value'] ?? {};
  const lowest = min + (max - min) * (SCORE_SHARE + GAP_SHARE / 2);
  return splits.map((split) => (split >= lowest ? split : null));
}

function widthOfLabels(plot: uPlot, labels: string[] | null): number {
  const longest = Math.max(3, ...(labels ?? []).map(({ length }) => length));
  return Math.min(plot.width / 4, 16 + 7 * longest);
}

function drawSpans(plot: uPlot, spans: readonly AnomalySpan[], colours: ChartColours): void {
  const { ctx, bbox } = plot;
  const least = LEAST_SPAN_PIXELS * devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  // The marks stand above the plot, where no grid line crosses them.
  ctx.rect(bbox.left, 0, bbox.width, bbox.top + bbox.height);
  ctx.clip();
  for (const { from, to } of spans) {
    const left = plot.valToPos(from, 'x', true);
    const width = Math.max(least, plot.valToPos(to, 'x', true) - left);
    ctx.fillStyle = colours.span;
    ctx.fillRect(left - least / 2, bbox.top, width + least, bbox.height);
    ctx.fillStyle = colours.spanEdge;
    ctx.fillRect(left - least / 2, bbox.top - 2 * least, width + least, 2 * least);
  }
  ctx.restore();
}

function drawThreshold(plot: uPlot, colours: ChartColours): void {
  const { ctx, bbox } = plot;
  const y = Math.round(plot.valToPos(SPAN_OPENS_AT, 'score', true));
  ctx.save();
  ctx.strokeStyle = colours.score;
  ctx.globalAlpha = 0.7;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}

function zoomToSelection(plot: uPlot, zoom: ChartHandlers['zoom']): void {
  const { left, width } = plot.select;
  if (width < 4) return;
  const from = plot.posToVal(left, 'x');
  const to = plot.posToVal(left + width, 'x');
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  zoom({ from: Math.floor(from), to: Math.ceil(to) });
}
