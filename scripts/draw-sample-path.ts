/** Draws docs/images/sample-path.svg: the path of one sample through the stages, with its transactions and wake-ups. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Stage {
  readonly title: string;
  readonly does: string;
  readonly transaction: string;
  readonly writes: string;
  readonly wakes: string | null;
}

const STAGES: readonly Stage[] = [
  {
    title: 'metric listener',
    does: 'bytes to samples',
    transaction: '',
    writes: 'refuses line by line',
    wakes: 'samples',
  },
  {
    title: 'metric storer',
    does: 'samples to rows',
    transaction: 'T0',
    writes: 'rows, last_rowid, tail time',
    wakes: 'rowsStored',
  },
  {
    title: 'model scheduler',
    does: 'rows to raw scores',
    transaction: 'T1',
    writes: 'raw scores, processed_rowid',
    wakes: 'rawScored',
  },
  {
    title: 'anomaly service',
    does: 'raw scores to likelihood',
    transaction: 'T2',
    writes: 'anomaly score, state, scored_rowid',
    wakes: 'scored',
  },
  {
    title: 'publication',
    does: 'scored rows to consumers',
    transaction: 'T3',
    writes: 'cursor of each consumer',
    wakes: null,
  },
];
const WIDTH = 212;
const GAP = 44;
const HEIGHT = 96;
const TOP = 56;

const boxes = STAGES.map(({ title, does, transaction, writes, wakes }, i) => {
  const x = 16 + i * (WIDTH + GAP);
  const middle = x + WIDTH / 2;
  const arrow =
    wakes === null
      ? ''
      : `<path class="wake" d="M${x + WIDTH} ${TOP + 40} h${GAP - 4}"/><text class="small" x="${x + WIDTH + GAP / 2}" y="${TOP - 8}">${wakes}</text>`;
  const commit =
    transaction === ''
      ? ''
      : `<path class="commit" d="M${middle} ${TOP + HEIGHT} v46"/><text class="bold" x="${middle + 18}" y="${TOP + HEIGHT + 28}">${transaction}</text>`;
  return `<rect x="${x}" y="${TOP}" width="${WIDTH}" height="${HEIGHT}" rx="8"/>
<text class="bold" x="${middle}" y="${TOP + 28}">${title}</text>
<text x="${middle}" y="${TOP + 52}">${does}</text>
<text class="small" x="${middle}" y="${TOP + 78}">${writes}</text>${arrow}${commit}`;
});
const total = 16 + STAGES.length * (WIDTH + GAP);
const storeTop = TOP + HEIGHT + 50;
const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${total} ${storeTop + 84}" font-family="system-ui, sans-serif" font-size="14">
<style>
rect { fill: #f4f7fb; stroke: #34568b; stroke-width: 1.5 } text { text-anchor: middle; fill: #1d2733 }
.bold { font-weight: 600 } .small { font-size: 11.5px; fill: #51606f }
.wake { stroke: #34568b; stroke-width: 1.5; stroke-dasharray: 5 4; marker-end: url(#head); fill: none }
.commit { stroke: #1d7a46; stroke-width: 2; marker-end: url(#head); fill: none }
</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#1d2733"/></marker></defs>
<rect x="0" y="0" width="100%" height="100%" style="fill:#fff;stroke:none"/>
${boxes.join('\n')}
<rect x="16" y="${storeTop}" width="${total - 16 - GAP}" height="62" rx="8" style="fill:#eef7f0;stroke:#1d7a46"/>
<text class="bold" x="${total / 2 - GAP / 2}" y="${storeTop + 26}">the store is the log: rows, one watermark per stage and metric, generations</text>
<text class="small" x="${total / 2 - GAP / 2}" y="${storeTop + 48}">solid: a transaction. dashed: samples under back-pressure, then wake-ups that may be lost, repeated or reordered; a sweep finds what a lost one left behind</text>
</svg>
`;
writeFileSync(join(import.meta.dirname, '../docs/images/sample-path.svg'), svg);
