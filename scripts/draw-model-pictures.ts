/**
 * Draws the pictures of docs/model.md from our own model on made, seeded series, and prints the numbers that its text
 * quotes; writes the last picture's series to examples/outage.csv. Run: node scripts/draw-model-pictures.ts
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { timeTicks, valueTicks, type Tick } from '../src/cli/detect/axis.ts';
import { utcText } from '../src/cli/terminal/text.ts';
import { estimateRange } from '../src/generation.ts';
import { Arena } from '../src/htm/arena.ts';
import { RandomDistributedScalarEncoder } from '../src/htm/encoders/rdse.ts';
import {
  AnomalyModel,
  DEFAULT_LIKELIHOOD,
  LikelihoodWithHistory,
  logLikelihood,
  scalarAnomalyParameters,
} from '../src/htm/index.ts';
import { seededRandom } from '../test/support/series.ts';

const WIDTH = 1000;
const LEFT = 56;
const RIGHT = 984;
/** 2026-01-05, a Monday, 00:00 UTC. */
const MONDAY = 1_767_571_200;
const HOUR = 3600;
const DAY = 24 * HOUR;

const LIGHT = {
  ground: '#ffffff',
  ink: '#1d2733',
  soft: '#5b6875',
  grid: '#e3e8ee',
  value: '#2b5fa8',
  raw: '#b0571d',
  score: '#7a3fb0',
  shared: '#1d7a46',
  off: '#eef1f5',
  mark: '#d62f3a',
};
const DARK: typeof LIGHT = {
  ground: '#14191f',
  ink: '#e6ebf0',
  soft: '#98a5b3',
  grid: '#2b343e',
  value: '#7eb0f5',
  raw: '#f0a365',
  score: '#c79bf2',
  shared: '#62c48c',
  off: '#222b34',
  mark: '#ff6b70',
};

type Scale = (at: number) => number;

function scale(from: number, to: number, first: number, last: number): Scale {
  return (at) => first + ((at - from) / (to - from)) * (last - first);
}

function fixed(number: number): string {
  return String(Math.round(10 * number) / 10);
}

function colours(c: typeof LIGHT): string {
  return `.ground { fill: ${c.ground} } text { fill: ${c.soft} } .name { fill: ${c.ink} } .grid { stroke: ${c.grid} }
.value { stroke: ${c.value} } .raw { stroke: ${c.raw} } .score { stroke: ${c.score} } .off { fill: ${c.off} }
.on { fill: ${c.value} } .shared { fill: ${c.shared} } .mark { fill: ${c.mark} } .level { stroke: ${c.mark} }`;
}

function save(name: string, height: number, description: string, content: string[]): void {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="${description}">
<style>
${colours(LIGHT)}
@media (prefers-color-scheme: dark) { ${colours(DARK)} }
path { fill: none; stroke-linejoin: round; stroke-width: 1.4 } .name { font-weight: 600 } .end { text-anchor: end } .middle { text-anchor: middle }
.level { stroke-dasharray: 5 4 } .span { opacity: 0.16 }
</style>
<rect class="ground" width="${WIDTH}" height="${height}" rx="8"/>
${content.join('\n')}
</svg>
`;
  writeFileSync(join(import.meta.dirname, '../docs/images', name), svg);
}

interface Panel {
  readonly title: string;
  readonly kind: 'value' | 'raw' | 'score';
  readonly top: number;
  readonly height: number;
  readonly numbers: readonly number[];
  readonly range: readonly [number, number];
  readonly ticks: readonly Tick[];
  /** A dashed line. */
  readonly level?: number;
}

/** A line over time with its title and grid. */
function panel(
  times: readonly number[],
  x: Scale,
  { title, kind, top, height, numbers, range, ticks, level }: Panel,
): string {
  const y = scale(range[0], range[1], top + height, top);
  const path = numbers.map((number, i) => `${fixed(x(times[i] ?? 0))} ${fixed(y(number))}`).join('L');
  const grid = ticks.map(
    ({ at, label }) =>
      `<line class="grid" x1="${LEFT}" x2="${RIGHT}" y1="${fixed(y(at))}" y2="${fixed(y(at))}"/><text class="end" x="${LEFT - 6}" y="${fixed(y(at) + 4)}">${label}</text>`,
  );
  const dashed =
    level === undefined
      ? ''
      : `<line class="level" x1="${LEFT}" x2="${RIGHT}" y1="${fixed(y(level))}" y2="${fixed(y(level))}"/>`;
  return `${grid.join('')}${dashed}<path class="${kind}" d="M${path}"/><text class="name" x="${LEFT}" y="${top - 8}">${title}</text>`;
}

/** Marks of time below all panels. */
function timeAxis(times: readonly number[], x: Scale, y: number): string {
  return timeTicks(times[0] ?? 0, times.at(-1) ?? 0, 10)
    .map(({ at, label }) => `<text class="middle" x="${fixed(x(at))}" y="${y}">${label}</text>`)
    .join('');
}

function span(x: Scale, from: number, to: number, top: number, bottom: number, kind: string): string {
  return `<rect class="${kind}" x="${fixed(x(from))}" y="${top}" width="${fixed(x(to) - x(from))}" height="${bottom - top}"/>`;
}

const SHARE_TICKS = valueTicks(0, 1, 2);

/** Which bits stand for some values, and how many they share with those of the first. */
function drawEncoderOverlap(): void {
  const arena = Arena.create(1, RandomDistributedScalarEncoder.schema());
  const parameters = { resolution: 1, w: 21, n: 400, seed: 42, offset: null };
  const encoder = RandomDistributedScalarEncoder.create(arena, 0, parameters);
  const bitsOf = (value: number) => {
    const bits = new Uint16Array(parameters.w);
    const count = encoder.encode(value, 0, bits, 0);
    return new Set(bits.subarray(0, count));
  };
  const first = bitsOf(50);
  const overlap = (value: number) => [...bitsOf(value)].filter((bit) => first.has(bit)).length;

  const x = scale(0, parameters.n, 118, RIGHT - 130);
  const strips = [50, 51, 55, 65, 90].map((value, i) => {
    const top = 52 + 42 * i;
    const bits = [...bitsOf(value)]
      .sort((a, b) => a - b)
      .map((bit) => {
        const isShared = first.has(bit);
        const [kind, y, height] = isShared ? ['shared', top, 26] : ['on', top + 7, 12];
        return `<rect class="${kind}" x="${fixed(x(bit))}" y="${y}" width="2.6" height="${height}"/>`;
      });
    const note = i === 0 ? '21 bits on' : `shares ${overlap(value)} of 21`;
    console.log(`encoder: ${value} ${note}`);
    return `<text class="name end" x="108" y="${top + 18}">value ${value}</text><rect class="off" x="118" y="${top}" width="${RIGHT - 130 - 118}" height="26"/>${bits.join('')}<text x="${RIGHT - 120}" y="${top + 18}">${note}</text>`;
  });

  const across = scale(-40, 40, LEFT, RIGHT);
  const y = scale(0, 21, 470, 322);
  const line = Array.from(
    { length: 81 },
    (_, i) => `${fixed(across(i - 40))} ${fixed(y(overlap(10 + i)))}`,
  ).join('L');
  const marks = [10, 30, 40, 50, 60, 70, 90].map(
    (value) => `<text class="middle" x="${fixed(across(value - 50))}" y="490">${value}</text>`,
  );
  const grid = [0, 7, 14, 21].map(
    (shared) =>
      `<line class="grid" x1="${LEFT}" x2="${RIGHT}" y1="${fixed(y(shared))}" y2="${fixed(y(shared))}"/><text class="end" x="${LEFT - 6}" y="${fixed(y(shared) + 4)}">${shared}</text>`,
  );
  save('encoder-overlap.svg', 506, 'bits of some values, and how many they share', [
    `<text class="name" x="118" y="32">400 bits for the value, resolution 1; those shared with value 50 are tall and green</text>`,
    ...strips,
    ...grid,
    `<path class="value" d="M${line}"/>`,
    `<text class="name" x="${LEFT}" y="306">bits shared with value 50, for every value from 10 to 90</text>`,
    ...marks,
  ]);
}

function rawScores(times: readonly number[], values: readonly number[], variant: 'cpp' | 'tm_cpp'): number[] {
  const range = estimateRange(Math.min(...values), Math.max(...values));
  const model = AnomalyModel.create(scalarAnomalyParameters({ ...range, variant }));
  return values.map((value, i) => model.run(times[i] ?? NaN, value));
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

/** A pattern of 24 hours, day after day, and another one from a certain day on. */
function drawSequence(): void {
  const days = 20;
  const change = 13;
  const random = seededRandom(7);
  const oneDay = () => Array.from({ length: 24 }, () => Math.round(20 + 60 * random()));
  const [before, after] = [oneDay(), oneDay()];
  const times = Array.from({ length: 24 * days }, (_, i) => MONDAY + HOUR * i);
  const values = times.map((_, i) => (i < 24 * change ? before : after)[i % 24] ?? 0);
  const x = scale(times[0] ?? 0, times.at(-1) ?? 0, LEFT, RIGHT);
  const panels = (['cpp', 'tm_cpp'] as const).map((variant, i) => {
    const numbers = rawScores(times, values, variant);
    const daily = Array.from({ length: days }, (_, day) =>
      mean(numbers.slice(24 * day, 24 * day + 24)).toFixed(2),
    );
    console.log(`sequence, ${variant}: mean raw score of each day ${daily.join(' ')}`);
    const title = `raw score, variant ${variant}`;
    return panel(times, x, {
      title,
      kind: 'raw',
      top: 190 + 130 * i,
      height: 84,
      numbers,
      range: [0, 1],
      ticks: SHARE_TICKS,
    });
  });
  save('sequence-learned.svg', 436, 'a daily pattern being learned, and a change', [
    span(x, MONDAY + change * DAY, times.at(-1) ?? 0, 36, 404, 'mark span'),
    panel(times, x, {
      title: 'value: the same 24 hours every day, from day 14 on others',
      kind: 'value',
      top: 36,
      height: 110,
      numbers: values,
      range: [0, 100],
      ticks: valueTicks(0, 100, 4),
    }),
    ...panels,
    timeAxis(times, x, 426),
  ]);
}

function saveExample(name: string, times: readonly number[], values: readonly number[]): void {
  const directory = join(import.meta.dirname, '../examples');
  const lines = times.map((time, i) => `${utcText(time)},${String(values[i])}`);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, name), ['timestamp,value', ...lines, ''].join('\n'));
}

/** A noisy daily cycle that stops for two hours, with raw scores and what the likelihood makes of them. */
function drawLikelihood(): void {
  const rows = 288 * 6;
  const random = seededRandom(21);
  const [outageFrom, outageTo] = [1500, 1524];
  const times = Array.from({ length: rows }, (_, i) => MONDAY + 300 * i);
  const values = times.map((_, i) => {
    const cycle = 50 + 30 * Math.sin((2 * Math.PI * i) / 288) + 8 * random();
    return Math.round(100 * (i >= outageFrom && i < outageTo ? 12 + random() : cycle)) / 100;
  });
  saveExample('outage.csv', times, values);
  const raw = rawScores(times, values, 'cpp');
  const likelihood = new LikelihoodWithHistory(DEFAULT_LIKELIHOOD);
  const scores = values.map((value, i) => likelihood.next(value, raw[i] ?? NaN));
  const logs = scores.map(logLikelihood);
  const learning = DEFAULT_LIKELIHOOD.learningPeriod + DEFAULT_LIKELIHOOD.estimationSamples;
  const highest = logs.indexOf(Math.max(...logs));
  console.log(
    `likelihood: outage rows ${outageFrom} to ${outageTo - 1}; highest at row ${highest}, anomaly score ${String(scores[highest])}, log ${String(logs[highest])}`,
  );
  for (const i of [
    outageFrom - 1,
    ...Array.from({ length: 8 }, (_, k) => outageFrom + k),
    outageTo,
    outageTo + 1,
  ])
    console.log(
      `likelihood: row ${i} value ${String(values[i])} raw ${raw[i]?.toFixed(3)} score ${scores[i]?.toFixed(7)} log ${logs[i]?.toFixed(3)}`,
    );
  const red = logs.flatMap((log, i) => (log >= 0.5 ? [i] : []));
  console.log(`likelihood: red rows ${red.join(' ')}`);
  console.log(
    `likelihood: rows after learning with raw score above 0.2: ${raw.filter((r, i) => i >= learning && r > 0.2).length}, with log-likelihood from 0.4: ${logs.filter((log) => log >= 0.4).length}`,
  );

  const x = scale(times[0] ?? 0, times.at(-1) ?? 0, LEFT, RIGHT);
  const learningEnd = times[learning] ?? 0;
  save('likelihood.svg', 470, 'values, raw scores and log-likelihood of a made series', [
    span(x, MONDAY, learningEnd, 36, 438, 'off'),
    `<text class="middle" x="${fixed(x((MONDAY + learningEnd) / 2))}" y="336">learning: 388 rows</text>`,
    span(x, times[outageFrom] ?? 0, times[outageTo] ?? 0, 36, 438, 'mark span'),
    panel(times, x, {
      title: 'value: a noisy daily cycle, cut off for two hours on the sixth day',
      kind: 'value',
      top: 36,
      height: 110,
      numbers: values,
      range: [0, 100],
      ticks: valueTicks(0, 100, 4),
    }),
    panel(times, x, {
      title: 'raw score',
      kind: 'raw',
      top: 190,
      height: 84,
      numbers: raw,
      range: [0, 1],
      ticks: SHARE_TICKS,
    }),
    panel(times, x, {
      title: 'log-likelihood; dashed: 0.5, shown red from there',
      kind: 'score',
      top: 318,
      height: 110,
      numbers: logs,
      range: [0, 1],
      ticks: SHARE_TICKS,
      level: 0.5,
    }),
    timeAxis(times, x, 456),
  ]);
}

drawEncoderOverlap();
drawSequence();
drawLikelihood();
