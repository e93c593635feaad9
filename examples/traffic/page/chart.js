import { svg } from './map.js';

/** A day of one route: speed above, how unusual it was below. */

const WIDTH = 640;
const LEFT = 34;
const SPEED = { top: 12, bottom: 190, max: 80 };
const SCORE = { top: 212, bottom: 262 };
const HEIGHT = 286;
const TICK_HOURS = 6;
/** Engine's bounds of colours. */
const REMARKABLE = 0.9999;
const ALARM = 0.99999;
const HOUR = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'America/New_York',
  hour: '2-digit',
  minute: '2-digit',
});

/** @param rows of a day: `{timestamp, value, anomalyScore}`, oldest first @returns an SVG element */
export function chartOf(name, rows) {
  const first = rows[0].timestamp;
  const last = Math.max(rows.at(-1).timestamp, first + 1);
  const x = (time) => LEFT + ((time - first) / (last - first)) * (WIDTH - LEFT - 6);
  const y = (speed) => SPEED.bottom - (Math.min(speed, SPEED.max) / SPEED.max) * (SPEED.bottom - SPEED.top);
  const grid = [0, 20, 40, 60, 80].flatMap((speed) => [
    svg('line', { class: 'axis', x1: LEFT, x2: WIDTH, y1: y(speed), y2: y(speed) }),
    svg('text', { x: LEFT - 6, y: y(speed) + 4, 'text-anchor': 'end' }, String(speed)),
  ]);
  const line = rows
    .map(({ timestamp, value }) => `${x(timestamp).toFixed(1)},${y(value).toFixed(1)}`)
    .join(' ');
  const label = `${name}: speed in miles per hour, and below it how unusual it was, over ${rows.length} values`;
  return svg(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': label },
    ...grid,
    svg('text', { x: LEFT + 4, y: SPEED.top + 12 }, 'mph'),
    svg('polyline', { class: 'speed', points: line }),
    svg('text', { x: LEFT + 4, y: SCORE.top + 2 }, 'unusual'),
    svg('line', { class: 'axis', x1: LEFT, x2: WIDTH, y1: SCORE.bottom, y2: SCORE.bottom }),
    ...rows.flatMap((row) => bar(row, x)),
    ...ticks(first, last, x),
  );
}

/** How unusual on the engine's scale, which is logarithmic: ten thousand times rarer is about half of it. */
function bar({ timestamp, anomalyScore }, x) {
  if (anomalyScore === null) return [];
  const likelihood = Math.log(1.0000000001 - anomalyScore) / Math.log(1e-10);
  const height = Math.max(likelihood, 0) * (SCORE.bottom - SCORE.top);
  const level = anomalyScore >= ALARM ? ' alarm' : anomalyScore >= REMARKABLE ? ' remarkable' : '';
  return [
    svg('rect', {
      class: `score${level}`,
      x: x(timestamp).toFixed(1),
      y: SCORE.bottom - height,
      width: 2,
      height,
    }),
  ];
}

function ticks(first, last, x) {
  const step = TICK_HOURS * 3600;
  const marks = [];
  for (let time = Math.ceil(first / step) * step; time <= last; time += step) {
    const text = HOUR.format(time * 1000);
    const at = Math.min(Math.max(x(time), LEFT + 16), WIDTH - 18);
    marks.push(svg('text', { x: at, y: HEIGHT - 6, 'text-anchor': 'middle' }, text));
  }
  return marks;
}
