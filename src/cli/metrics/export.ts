import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { HtmEngineError } from '../../errors.ts';
import { EngineClient } from '../../client/engine-client.ts';
import type { ImportOutcome, RowJson } from '../../client/types.ts';
import { csvLine } from '../../csv/csv.ts';
import { Output } from '../terminal/output.ts';
import { countText, isoText, printable } from '../terminal/text.ts';
import { selectNames, type SelectionOptions } from './selection.ts';

/** Flags of `metrics export`. */
export interface ExportRowsOptions extends SelectionOptions {
  readonly url: string;
  readonly token?: string;
  readonly json?: boolean;
  /** Epoch seconds, inclusive. */
  readonly from?: number;
  readonly to?: number;
  readonly out?: string;
}

/** Flags of `models export` and `models import`. */
export interface SpecOptions extends SelectionOptions {
  readonly url: string;
  readonly token?: string;
  readonly json?: boolean;
  readonly out?: string;
  /** Of `export`: also the rows of the last 14 days. */
  readonly data?: boolean;
}

const CSV_HEADER = ['metric', 'timestamp', 'value', 'raw_anomaly_score', 'anomaly_score', 'log_likelihood'];
const FORMAT = 'htmengine-models';
const FORMAT_VERSION = 1;

/** Writes rows with their scores, metric by metric, page by page: CSV that `import` reads, or a JSON object a line. */
export async function exportRows(args: readonly string[], options: ExportRowsOptions): Promise<void> {
  const client = new EngineClient(options.url, options);
  const names = args.length === 0 ? await allNames(client) : (await selectNames(client, args, options)).names;
  const { from, to } = options;
  const selection = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
  const lineOf = options.json === true ? jsonLine : csvRow;
  await writing(options.out, async (output) => {
    if (options.json !== true) await output.write(csvLine(CSV_HEADER));
    for (const name of names) {
      for await (const rows of client.rowPages(name, selection)) {
        await output.write(rows.map((row) => lineOf(name, row)).join(''));
      }
    }
  });
}

/** Writes the specs of models: what `importModels` needs to monitor the same metrics in the same way elsewhere. */
export async function exportModels(args: readonly string[], options: SpecOptions): Promise<void> {
  const client = new EngineClient(options.url, options);
  const names = args.length === 0 ? null : (await selectNames(client, args, options)).names;
  const models = await client.exportModels(
    options.data === true ? (names ?? (await allNames(client, true))) : names,
    options.data,
  );
  const document = { format: FORMAT, version: FORMAT_VERSION, models };
  await writing(options.out, (output) => output.write(`${JSON.stringify(document, null, 2)}\n`));
}

/** Monitors what specs say; what is monitored already stays as it is. */
export async function importModels(file: string, options: SpecOptions): Promise<void> {
  const models = specsIn(file, await readWhole(file));
  const outcomes = await new EngineClient(options.url, options).importModels(models);
  if (outcomes.some(({ outcome }) => outcome === 'refused')) process.exitCode = 1;
  const output = Output.toStandardOutput();
  if (options.json === true) {
    await output.write(`${JSON.stringify(outcomes, null, 2)}\n`);
    return;
  }
  for (const outcome of outcomes) {
    if (outcome.outcome === 'refused') process.stderr.write(`htmengine: ${outcomeText(outcome)}`);
    else await output.write(outcomeText(outcome));
  }
  const count = (kind: ImportOutcome['outcome']) => outcomes.filter(({ outcome }) => outcome === kind).length;
  await output.write(
    `${countText(count('monitored'), 'model')} imported, ${count('already_monitored')} monitored already, ${count('refused')} refused\n`,
  );
}

async function allNames(client: EngineClient, onlyMonitored = false): Promise<string[]> {
  const names: string[] = [];
  for await (const page of client.metricPages()) {
    const wanted = page.filter(({ state }) => !onlyMonitored || state !== 'UNMONITORED');
    names.push(...wanted.map(({ name }) => name));
  }
  return names;
}

/** Writes to a file or to standard output. */
async function writing(path: string | undefined, write: (output: Output) => Promise<void>): Promise<void> {
  const output = path === undefined ? Output.toStandardOutput() : await Output.toFile(path);
  try {
    await write(output);
  } finally {
    await output.close();
  }
}

function csvRow(name: string, row: RowJson): string {
  const { timestamp, value, rawAnomalyScore, anomalyScore, logLikelihood } = row;
  return csvLine([
    name,
    isoText(timestamp),
    value,
    rawAnomalyScore ?? '',
    anomalyScore ?? '',
    logLikelihood ?? '',
  ]);
}

function jsonLine(name: string, row: RowJson): string {
  return `${JSON.stringify({ name, ...row })}\n`;
}

async function readWhole(file: string): Promise<string> {
  if (file === '-') return text(process.stdin);
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HtmEngineError('invalid_argument', `cannot read ${file}: ${reason}`);
  }
}

function specsIn(file: string, content: string): readonly unknown[] {
  let document: unknown;
  try {
    document = JSON.parse(content);
  } catch (error) {
    throw new HtmEngineError('invalid_argument', `${file} is no JSON: ${(error as Error).message}`);
  }
  if (Array.isArray(document)) return document as unknown[];
  const { format, version, models } = (document ?? {}) as Record<string, unknown>;
  if (format !== FORMAT || version !== FORMAT_VERSION || !Array.isArray(models))
    throw new HtmEngineError(
      'invalid_argument',
      `${file} is no export of models: it must be an array of model specs, or {"format":"${FORMAT}","version":${FORMAT_VERSION},"models":[...]} as "htmengine models export" writes it`,
    );
  return models as unknown[];
}

function outcomeText({ name, outcome, message }: ImportOutcome): string {
  const text =
    outcome === 'monitored'
      ? 'monitored'
      : outcome === 'refused'
        ? (message ?? 'refused')
        : 'monitored already';
  return `${printable(name ?? '?')}: ${printable(text)}\n`;
}
