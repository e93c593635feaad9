import { EngineClient } from '../../client/engine-client.ts';
import type { MetricJson } from '../../client/types.ts';
import { Output } from '../terminal/output.ts';
import { tableText, type TableColumn, type TableRow } from '../terminal/table.ts';
import { ageText, countText, isoText, shortNumber, sparkline } from '../terminal/text.ts';
import { selectMetrics, type SelectionOptions } from './selection.ts';
import { scoreText, stateText, toneOf } from './state.ts';

/** Flags of `metrics list` and `models list`. */
export interface ListOptions extends SelectionOptions {
  readonly url: string;
  readonly token?: string;
  readonly json?: boolean;
  readonly sort: 'name' | 'score' | 'time';
  readonly limit?: number;
}

const SPARK_ROWS = 16;
const COLUMNS: readonly TableColumn[] = [
  { title: 'metric' },
  { title: 'state' },
  { title: 'rows', align: 'right' },
  { title: 'value', align: 'right' },
  { title: 'last row', align: 'right' },
  { title: 'score', align: 'right' },
];

/** Shows metrics, or only those that have a model. */
export async function list(
  args: readonly string[],
  options: ListOptions,
  onlyMonitored: boolean,
): Promise<void> {
  const stream = process.stdout;
  const showsSparks = stream.isTTY && options.json !== true;
  const recent = showsSparks ? SPARK_ROWS : 0;
  const found = await selectMetrics(new EngineClient(options.url, options), args, { ...options, recent });
  const metrics = found
    .filter(({ state }) => !onlyMonitored || state !== 'UNMONITORED')
    .sort(ORDERS[options.sort])
    .slice(0, options.limit);
  const output = Output.toStandardOutput();
  if (options.json === true) {
    await output.write(`${JSON.stringify(metrics, null, 2)}\n`);
    return;
  }
  if (metrics.length === 0) process.stderr.write(nothing(onlyMonitored));
  else if (stream.isTTY) await output.write(terminalTable(metrics));
  else await output.write(tableText(COLUMNS, metrics.map(plainRow), stream));
}

/** What sorts first is what people look for: the highest score, the newest row. */
const ORDERS: Readonly<Record<ListOptions['sort'], (a: MetricJson, b: MetricJson) => number>> = {
  name: () => 0, // as the engine lists them
  score: (a, b) => (b.lastLogLikelihood ?? -1) - (a.lastLogLikelihood ?? -1),
  time: (a, b) => (b.lastTimestamp ?? 0) - (a.lastTimestamp ?? 0),
};

function nothing(onlyMonitored: boolean): string {
  return onlyMonitored
    ? 'No metric is monitored yet: "htmengine metrics monitor NAME" begins.\n'
    : 'There are no metrics yet: "htmengine send NAME VALUE" makes one, "htmengine up --demo" brings some to look at.\n';
}

function terminalTable(metrics: readonly MetricJson[]): string {
  const nowSeconds = Date.now() / 1000;
  const rows = metrics.map((metric): TableRow => {
    const { name, rows, lastTimestamp, lastValue, lastLogLikelihood, recent = [] } = metric;
    return {
      cells: [
        metric.demo ? `${name} (demo)` : name,
        stateText(metric),
        rows.toLocaleString('en'),
        lastValue === null ? '-' : shortNumber(lastValue),
        lastTimestamp === null ? '-' : ageText(lastTimestamp, nowSeconds),
        scoreText(lastLogLikelihood),
        sparkline(recent),
      ],
      tone: metric.state === 'ERROR' ? 'red' : toneOf(lastLogLikelihood),
    };
  });
  const table = tableText([...COLUMNS, { title: 'recent scores' }], rows, process.stdout);
  return `${table}\n${countText(metrics.length, 'metric')}\n`;
}

/** Complete numbers and times, for programs. */
function plainRow(metric: MetricJson): TableRow {
  const { name, rows, lastTimestamp, lastValue, lastLogLikelihood } = metric;
  return {
    cells: [
      name,
      stateText(metric),
      String(rows),
      lastValue === null ? '-' : String(lastValue),
      lastTimestamp === null ? '-' : isoText(lastTimestamp),
      lastLogLikelihood === null ? '-' : String(lastLogLikelihood),
    ],
  };
}
