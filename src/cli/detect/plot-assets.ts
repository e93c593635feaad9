/** Style and script of the page of `--plot`, put into it as they are. */

export const STYLE = `
:root { color-scheme: light dark; --ground: #fff; --ink: #1d2733; --soft: #5b6875; --grid: #e3e8ee;
  --value: #2b5fa8; --raw: #b7bfc9; --score: #7a3fb0; --red: #d62f3a; --yellow: #e0a400; --learning: #f1f4f8 }
@media (prefers-color-scheme: dark) { :root { --ground: #14191f; --ink: #e6ebf0; --soft: #98a5b3; --grid: #2b343e;
  --value: #7eb0f5; --raw: #55616e; --score: #c79bf2; --red: #ff6b70; --yellow: #f2c230; --learning: #1d242c } }
body { margin: 24px; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
h1 { font-size: 22px; margin: 0 } h2 { font-size: 17px } p { margin: 4px 0 16px; color: var(--soft) }
#plot { position: relative } svg { display: block; width: 100%; height: auto }
svg text { fill: var(--soft); font-size: 12px } .middle { text-anchor: middle } .end { text-anchor: end }
svg .name { fill: var(--ink); font-weight: 600 } .grid line { stroke: var(--grid) }
path { fill: none; stroke-linejoin: round } .value { stroke: var(--value); stroke-width: 1.3 }
.raw { stroke: var(--raw); stroke-width: 1 } .score { stroke: var(--score); stroke-width: 1.6 }
.span { opacity: .45 } .span.red, i.red { fill: var(--red); background: var(--red) }
.span.yellow, i.yellow { fill: var(--yellow); background: var(--yellow) }
.learning { fill: var(--learning); background: var(--learning) } #cursor { stroke: var(--soft) }
.legend i { display: inline-block; width: 12px; height: 12px; margin-left: 12px; border: 1px solid var(--grid) }
#tip { position: absolute; top: 8px; padding: 6px 10px; white-space: pre; pointer-events: none; font-size: 13px;
  background: var(--ground); border: 1px solid var(--soft); border-radius: 6px }
table { border-collapse: collapse } th, td { padding: 3px 14px 3px 0; text-align: right }
th { color: var(--soft); font-weight: 400 } td { font-variant-numeric: tabular-nums }
tr.red td:first-child { border-left: 4px solid var(--red); padding-left: 8px }
tr.yellow td:first-child { border-left: 4px solid var(--yellow); padding-left: 8px }
`;

/** Shows what lies under the pointer: finds the point by its time, moves the line, fills the box. */
export const HOVER_SCRIPT = `
'use strict';
const { left, right, width, points } = JSON.parse(document.getElementById('data').textContent);
const plot = document.getElementById('plot');
const svg = plot.querySelector('svg');
const cursor = document.getElementById('cursor');
const tip = document.getElementById('tip');
const first = points[0][0];
const last = Math.max(first + 1, points[points.length - 1][1]);
const utc = (seconds) => new Date(1000 * seconds).toISOString().replace('T', ' ').slice(0, 19);
const span = (from, to, text) => from === to ? text(from) : text(from) + ' to ' + text(to);
function nearest(seconds) {
  let low = 0, high = points.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (points[middle][0] <= seconds) low = middle; else high = middle - 1;
  }
  const next = points[low + 1];
  return next && next[0] - seconds < seconds - points[low][1] ? next : points[low];
}
svg.addEventListener('pointermove', (event) => {
  const box = svg.getBoundingClientRect();
  const x = (event.clientX - box.left) * width / box.width;
  const seconds = first + (x - left) / (right - left) * (last - first);
  const [from, to, lowest, highest, raw, score, log] = nearest(seconds);
  const at = left + ((from + to) / 2 - first) / (last - first) * (right - left);
  cursor.setAttribute('x1', at);
  cursor.setAttribute('x2', at);
  cursor.setAttribute('visibility', 'visible');
  tip.hidden = false;
  tip.textContent = span(from, to, utc) + '\\nvalue ' + span(lowest, highest, String) +
    '\\nraw score ' + raw.toFixed(3) + '\\nanomaly score ' + score.toFixed(7) + '\\nlog-likelihood ' + log.toFixed(3);
  const screen = at * box.width / width;
  tip.style.left = screen < box.width / 2 ? screen + 14 + 'px' : '';
  tip.style.right = screen < box.width / 2 ? '' : box.width - screen + 14 + 'px';
});
svg.addEventListener('pointerleave', () => { tip.hidden = true; cursor.setAttribute('visibility', 'hidden'); });
`;
