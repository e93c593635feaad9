/** Draws what `bench:fleet --json` printed, given on standard input: CPU per sample by part, and resident memory. */
import { text } from 'node:stream/consumers';
import { allSeconds, PARTS, type PartSeconds } from './fleet-cost.ts';
import type { FleetBench } from './fleet-report.ts';
import type { FleetFinding } from './fleet-run.ts';

const COLORS: Readonly<Record<keyof PartSeconds, string>> = {
  load: '#2563a8',
  replay: '#7aa7d9',
  compute: '#2f855a',
  save: '#c05621',
  workersBesides: '#a0aec0',
  store: '#805ad5',
  main: '#d69e2e',
  others: '#718096',
};
const BAR_WIDTH = 90;
const GAP = 60;
const PLOT_HEIGHT = 220;
const LEFT = 70;
const TOP = 44;
const LEGEND_WIDTH = 170;

process.stdout.write(draw((JSON.parse(await text(process.stdin)) as FleetBench).findings));

function draw(findings: readonly FleetFinding[]): string {
  const most = Math.max(...findings.map(totalMilliseconds));
  const width = LEFT + findings.length * (BAR_WIDTH + GAP) + LEGEND_WIDTH;
  const height = TOP + PLOT_HEIGHT + 60;
  const bars = findings.map((finding, i) => bar(finding, LEFT + i * (BAR_WIDTH + GAP), PLOT_HEIGHT / most));
  const [budget] = findings.map(({ budgetBytes }) => budgetBytes / 2 ** 20);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    label(LEFT, 16, `CPU per sample by part, milliseconds; budget ${Math.round(budget ?? 0)} MiB`),
    ...bars,
    ...PARTS.map((part, i) => legend(part, width - LEGEND_WIDTH + 10, TOP + 18 * i)),
    '</svg>',
    '',
  ].join('\n');
}

function bar(finding: FleetFinding, x: number, scale: number): string {
  let y = TOP + PLOT_HEIGHT;
  const shapes = PARTS.map((part) => {
    const size = milliseconds(finding, part) * scale;
    y -= size;
    return `<rect x="${x}" y="${y.toFixed(1)}" width="${BAR_WIDTH}" height="${size.toFixed(1)}" fill="${COLORS[part]}"/>`;
  });
  const total = totalMilliseconds(finding);
  const below = TOP + PLOT_HEIGHT;
  return [
    ...shapes,
    label(x, y - 5, `${total.toPrecision(3)} ms`),
    label(x, below + 16, `${finding.models} models`),
    label(x, below + 32, `every ${finding.intervalSeconds} s`),
    label(x, below + 48, `${finding.residentMaxMib} MiB resident`),
  ].join('\n');
}

function legend(part: keyof PartSeconds, x: number, y: number): string {
  return `<rect x="${x}" y="${y}" width="12" height="12" fill="${COLORS[part]}"/>${label(x + 18, y + 10, part)}`;
}

function label(x: number, y: number, words: string): string {
  return `<text x="${x}" y="${y.toFixed(1)}" fill="#1a202c">${words}</text>`;
}

function totalMilliseconds({ cpuSeconds, scored }: FleetFinding): number {
  return (1000 * allSeconds(cpuSeconds)) / scored;
}

function milliseconds({ cpuSeconds, scored }: FleetFinding, part: keyof PartSeconds): number {
  return (1000 * Math.max(0, cpuSeconds[part])) / scored;
}
