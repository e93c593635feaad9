import { EngineClient } from '../../client/engine-client.ts';
import { refusedWith } from '../../client/http.ts';
import type { MetricJson, ModelJson } from '../../client/types.ts';
import { Output } from '../terminal/output.ts';
import { tinted } from '../terminal/table.ts';
import { ageText, countText, printable, shortNumber, sparkline, utcText } from '../terminal/text.ts';
import { selectNames, type SelectionOptions } from './selection.ts';
import { scoreText, stateText, toneOf } from './state.ts';

/** Flags of `metrics show` and `models show`. */
export interface ShowOptions extends SelectionOptions {
  readonly url: string;
  readonly token?: string;
  readonly json?: boolean;
}

const SPARK_ROWS = 60;
const LABEL_WIDTH = 9;
const MIB = 2 ** 20;

/** Tells everything about each metric: what it is doing, its last row and score, its model. */
export async function show(args: readonly string[], options: ShowOptions): Promise<void> {
  const client = new EngineClient(options.url, options);
  const { names } = await selectNames(client, args, options);
  const output = Output.toStandardOutput();
  const described: object[] = [];
  for (const [i, name] of names.entries()) {
    const metric = await client.metric(name, SPARK_ROWS);
    const model = await modelOf(client, name);
    if (options.json === true) described.push({ ...metric, model });
    else await output.write(`${i > 0 ? '\n' : ''}${description(metric, model)}`);
  }
  if (options.json === true) await output.write(`${JSON.stringify(described, null, 2)}\n`);
}

async function modelOf(client: EngineClient, name: string): Promise<ModelJson | null> {
  try {
    return await client.model(name);
  } catch (error) {
    if (refusedWith(error, 'metric_not_monitored')) return null;
    throw error;
  }
}

function description(metric: MetricJson, model: ModelJson | null): string {
  const stream = process.stdout;
  const { lastTimestamp, lastValue, lastLogLikelihood, lastScoredTimestamp, recent = [] } = metric;
  const facts: [string, string][] = [['state', stateSentence(metric)]];
  facts.push(['rows', metric.rows.toLocaleString('en')]);
  if (lastTimestamp !== null && lastValue !== null)
    facts.push(['last', `${shortNumber(lastValue)} at ${timeText(lastTimestamp)}`]);
  if (lastScoredTimestamp !== null) {
    const score = tinted(toneOf(lastLogLikelihood), scoreText(lastLogLikelihood), stream);
    const at = lastScoredTimestamp === lastTimestamp ? '' : `, of the row at ${utcText(lastScoredTimestamp)}`;
    facts.push(['score', `${score} (0 usual, from 0.5 on an anomaly)${at}`]);
  }
  if (stream.isTTY && recent.length > 0)
    facts.push(['recent', `${sparkline(recent)}  the last ${countText(recent.length, 'score')}`]);
  if (model !== null) facts.push(...modelFacts(model));
  facts.push(['uid', metric.uid]);
  const title = `${printable(metric.name)}${metric.demo ? ' (demo data)' : ''}`;
  const lines = facts.map(([label, text]) => `  ${tinted('dim', label.padEnd(LABEL_WIDTH), stream)}${text}`);
  return `${[title, ...lines].join('\n')}\n`;
}

function stateSentence(metric: MetricJson): string {
  const text = stateText(metric);
  if (metric.state === 'ACTIVE' && metric.learning !== null)
    return `${text} rows; its scores count from then on`;
  if (metric.state === 'PENDING_DATA')
    return `${text} rows; then its range is known and learning begins ("htmengine models activate" begins now)`;
  if (metric.state === 'ERROR') return `${text} ("htmengine models restart" tries again)`;
  return text;
}

function modelFacts(model: ModelJson): [string, string][] {
  const { generation, variant, range, resolution, checkpoints, diskBytes } = model;
  const parts = [
    `generation ${generation}`,
    variant === null ? null : `variant ${variant}`,
    range === null ? null : `range ${shortNumber(range.min)} to ${shortNumber(range.max)}`,
    resolution === null ? null : `resolution ${shortNumber(resolution)}`,
  ];
  const saved = checkpoints.map(({ rowid }) => `row ${rowid.toLocaleString('en')}`);
  return [
    ['model', parts.filter((part) => part !== null).join(', ')],
    ...learningFacts(model),
    ['saved', saved.length === 0 ? 'not yet' : `at ${saved.join(' and ')}`],
    ['disk', `about ${mib(diskBytes.rows)} of rows, ${mib(diskBytes.checkpoints)} of saved models`],
  ];
}

/** What is unusual about how it learns, and what it takes. */
function learningFacts({ learns, leftOut, distribution, cost, failure }: ModelJson): [string, string][] {
  const facts: [string, string][] = [];
  if (failure !== null && failure.row !== null)
    facts.push([
      'failed',
      `at row ${failure.row.rowid}: ${shortNumber(failure.row.value)} at ${timeText(failure.row.timestamp)}`,
    ]);
  if (!learns) facts.push(['learning', 'off ("htmengine models learning --on" switches it on)']);
  if (leftOut.length > 0)
    facts.push(['left out', leftOut.map(({ from, to }) => `${utcText(from)} to ${utcText(to)}`).join(', ')]);
  if (distribution !== null) {
    const { mean, standardDeviation, averageScore } = distribution;
    facts.push([
      'usual',
      `raw scores ${shortNumber(mean)} ± ${shortNumber(standardDeviation)} on average, now ${shortNumber(averageScore)}`,
    ]);
  }
  if (cost !== null) {
    const row = cost.rowMs === null ? '' : `, ${shortNumber(cost.rowMs)} ms of CPU a row`;
    const load = `${shortNumber(cost.loadMs)} ms to load`;
    const save = cost.saveMs === null ? '' : ` and ${shortNumber(cost.saveMs)} ms to save`;
    facts.push([
      'takes',
      `${mib(cost.bytes)} of memory${cost.warm ? '' : ' when loaded'}${row}, ${load}${save}`,
    ]);
  }
  return facts;
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}

function timeText(seconds: number): string {
  return `${utcText(seconds)} UTC, ${ageText(seconds, Date.now() / 1000)}`;
}
