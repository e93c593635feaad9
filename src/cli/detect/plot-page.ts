import { utcText } from '../terminal/text.ts';
import { timeTicks, valueTicks } from './axis.ts';
import type { Moment } from './moments.ts';
import { HOVER_SCRIPT, STYLE } from './plot-assets.ts';
import type { PlotPoint, PlotSeries } from './plot-series.ts';

/** What the page shows. */
export interface PlotContent {
  readonly title: string;
  /** One line below the title. */
  readonly subtitle: string;
  readonly valueName: string;
  readonly series: PlotSeries;
  readonly moments: readonly Moment[];
}

const WIDTH = 1200;
const LEFT = 70;
const RIGHT = 1185;
/** Top and bottom of the panel of the values and of the one of the scores. */
const VALUES = { top: 28, bottom: 300 };
const SCORES = { top: 336, bottom: 496 };
const HEIGHT = 532;
/** A span of a single row is widened to this, to be seen. */
const LEAST_SPAN_WIDTH = 3;

/**
 * One HTML page that shows values and scores over time: SVG with a small script for the pointer, everything inline,
 * and a policy that keeps the browser from loading anything else.
 */
export function plotPage(content: PlotContent): string {
  const { title, subtitle, series, moments } = content;
  const { points } = series;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(subtitle)}</p>
<div id="plot">
${drawing(content)}
<div id="tip" hidden></div>
</div>
<p class="legend"><i class="red"></i> red: log-likelihood from 0.5 <i class="yellow"></i> yellow: from 0.4 <i class="learning"></i> still learning: no anomaly score yet</p>
${momentTable(moments)}
<script type="application/json" id="data">${scriptJson({ left: LEFT, right: RIGHT, width: WIDTH, points: points.map(hoverPoint) })}</script>
<script>${HOVER_SCRIPT}</script>
</body>
</html>
`;
}

function drawing({ series, valueName }: PlotContent): string {
  const { points } = series;
  const from = points[0]?.fromSeconds ?? 0;
  const to = Math.max(from + 1, points.at(-1)?.toSeconds ?? 0);
  const lowest = points.reduce((least, point) => Math.min(least, point.lowest), Infinity);
  const highest = points.reduce((most, point) => Math.max(most, point.highest), -Infinity);
  const [min, max] = lowest < highest ? [lowest, highest] : [lowest - 1, highest + 1];
  const x = scale(from, to, LEFT, RIGHT);
  const value = scale(min, max, VALUES.bottom, VALUES.top);
  const score = scale(0, 1, SCORES.bottom, SCORES.top);

  const learning =
    series.learningUntilSeconds === null
      ? ''
      : `<rect class="learning" x="${LEFT}" y="${VALUES.top}" width="${fixed(x(series.learningUntilSeconds) - LEFT)}" height="${SCORES.bottom - VALUES.top}"/>`;
  const spans = series.spans().map(({ fromSeconds, toSeconds, level }) => {
    const width = Math.max(LEAST_SPAN_WIDTH, x(toSeconds) - x(fromSeconds));
    const left = (x(fromSeconds) + x(toSeconds) - width) / 2;
    return `<rect class="span ${level}" x="${fixed(left)}" y="${VALUES.top}" width="${fixed(width)}" height="${SCORES.bottom - VALUES.top}"/>`;
  });
  const times = timeTicks(from, to, 8).map(
    ({ at, label }) =>
      `<line x1="${fixed(x(at))}" x2="${fixed(x(at))}" y1="${VALUES.top}" y2="${SCORES.bottom}"/><text class="middle" x="${fixed(x(at))}" y="${SCORES.bottom + 20}">${label}</text>`,
  );
  const rows = (ticks: { at: number; label: string }[], y: (at: number) => number) =>
    ticks.map(
      ({ at, label }) =>
        `<line x1="${LEFT}" x2="${RIGHT}" y1="${fixed(y(at))}" y2="${fixed(y(at))}"/><text class="end" x="${LEFT - 8}" y="${fixed(y(at) + 4)}">${label}</text>`,
    );
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="values and anomaly scores over time">
${learning}
<g class="grid">${[...times, ...rows(valueTicks(min, max, 5), value), ...rows(valueTicks(0, 1, 5), score)].join('')}</g>
${spans.join('\n')}
<path class="value" d="${path(points, (point) => [value(point.lowest), value(point.highest)], x)}"/>
<path class="raw" d="${path(points, ({ rawScore }) => [score(rawScore)], x)}"/>
<path class="score" d="${path(points, ({ logLikelihood }) => [score(logLikelihood)], x)}"/>
<text class="name" x="${LEFT}" y="${VALUES.top - 10}">${escapeHtml(valueName)}</text>
<text class="name" x="${LEFT}" y="${SCORES.top - 10}">log-likelihood of an anomaly (raw score: thin)</text>
<line id="cursor" y1="${VALUES.top}" y2="${SCORES.bottom}" visibility="hidden"/>
</svg>`;
}

function path(
  points: readonly PlotPoint[],
  heights: (point: PlotPoint) => number[],
  x: (seconds: number) => number,
): string {
  const steps = points.flatMap((point) => {
    const across = fixed(x((point.fromSeconds + point.toSeconds) / 2));
    return [...new Set(heights(point).map(fixed))].map((height) => `${across} ${height}`);
  });
  return `M${steps.join('L')}`;
}

function momentTable(moments: readonly Moment[]): string {
  if (moments.length === 0) return '';
  const rows = moments.map(
    ({ timestampSeconds, line, value, rawScore, anomalyScore, logLikelihood, level }) =>
      `<tr class="${level}"><td>${[utcText(timestampSeconds), line, value, rawScore.toFixed(3), anomalyScore.toFixed(7), logLikelihood.toFixed(3)].join('</td><td>')}</td></tr>`,
  );
  return `<h2>Most anomalous moments</h2>
<table><thead><tr><th>time (UTC)</th><th>line</th><th>value</th><th>raw score</th><th>anomaly score</th><th>log-likelihood</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table>`;
}

function hoverPoint(point: PlotPoint): number[] {
  const { fromSeconds, toSeconds, lowest, highest, rawScore, anomalyScore, logLikelihood } = point;
  return [fromSeconds, toSeconds, lowest, highest, rawScore, anomalyScore, logLikelihood];
}

function scale(from: number, to: number, first: number, last: number): (at: number) => number {
  return (at) => first + ((at - from) / (to - from)) * (last - first);
}

function fixed(number: number): string {
  return String(Math.round(10 * number) / 10);
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** JSON that cannot end the script element it stands in. */
function scriptJson(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}
