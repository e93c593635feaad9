import { HtmEngineError } from '../../errors.ts';
import { resolutionFor, type ValueRange } from '../../generation.ts';
import type { ScalarAnomalyOptions } from '../../htm/index.ts';
import type { CeilingArgument } from '../commands/arguments.ts';
import { BadRows } from '../../csv/bad-rows.ts';
import { csvLine } from '../../csv/csv.ts';
import { Detector, LEARNING_ROWS, type RowScores } from '../../detect/detector.ts';
import { findRange } from '../../detect/find-range.ts';
import { Moments } from './moments.ts';
import { checkDistinct, Output } from '../terminal/output.ts';
import { plotPage } from './plot-page.ts';
import { PlotSeries } from './plot-series.ts';
import { Progress } from '../terminal/progress.ts';
import { settingsText, summaryJson, summaryText, type Summary } from './report.ts';
import { SeriesReader } from '../../detect/series-reader.ts';
import type { Source } from '../../csv/source.ts';
import { openSource } from '../open-source.ts';

/** Flags of `htmengine detect`. */
export interface DetectOptions {
  readonly timestamp?: string;
  readonly value?: string;
  readonly min?: number;
  readonly max?: number;
  readonly variant: NonNullable<ScalarAnomalyOptions['variant']>;
  /** The most the memory may hold; absent for no limit. */
  readonly ceiling?: CeilingArgument;
  readonly predict?: boolean;
  readonly out?: string;
  readonly json?: boolean;
  readonly plot?: string;
  readonly skipBad?: boolean;
}

/**
 * Scores every row of a CSV file (`-`: standard input): the input columns and the scores go to a file or to standard
 * output, the most anomalous moments are shown. Holds one row, but for what the likelihood looks back on and what is shown.
 * @throws HtmEngineError `invalid_argument`, `invalid_range`
 */
export async function detect(file: string, options: DetectOptions): Promise<void> {
  const { out, plot } = options;
  const givenRange = rangeOf(options);
  await checkDistinct([file, out, plot].filter((path) => path !== undefined));
  const source = await openSource(file, givenRange === null);
  const outputs: Output[] = [];
  const open = async (path: string) => {
    const output = await Output.toFile(path);
    outputs.push(output);
    return output;
  };
  try {
    const range = givenRange ?? (await findRange(source, options, badRowsOf(options)));
    const rowOutput =
      out !== undefined ? await open(out) : options.json === true ? null : Output.toStandardOutput();
    const page =
      plot === undefined ? null : { output: await open(plot), series: new PlotSeries(LEARNING_ROWS) };
    const summary = await scoreAll(source, options, range, rowOutput, page?.series ?? null);
    if (page !== null) await page.output.write(pageOf(summary, page.series));
    await report(summary, options);
  } finally {
    await Promise.all(outputs.map((output) => output.close()));
    await source.close();
  }
}

function rangeOf({ min, max }: DetectOptions): ValueRange | null {
  if (min === undefined && max === undefined) return null;
  if (min === undefined || max === undefined)
    throw new HtmEngineError('invalid_range', 'give --min and --max together, or neither');
  if (min >= max) throw new HtmEngineError('invalid_range', `--min ${min} must be below --max ${max}`);
  return { min, max };
}

async function scoreAll(
  source: Source,
  options: DetectOptions,
  range: ValueRange,
  output: Output | null,
  plot: PlotSeries | null,
): Promise<Summary> {
  const { variant, predict = false } = options;
  const ceiling = options.ceiling?.limits ?? null;
  const resolution = resolutionFor(range, null);
  const detector = new Detector({ resolution, variant, ceiling, enableClassifier: predict });
  const moments = new Moments();
  const badRows = badRowsOf(options);
  let rows = 0;
  const progress = new Progress(process.stderr, source.sizeBytes, () => `${rows.toLocaleString('en')} rows`);
  const reader = await SeriesReader.open(source, options, (bytes) => progress.advance(bytes));
  const { header, columns } = reader;
  try {
    await output?.write(csvLine([...header, ...newColumns(header, predict)]));
    for await (const row of reader.rows(badRows)) {
      const scores = detector.next(row.timestampSeconds, row.value);
      await output?.write(csvLine([...row.fields, ...newCells(scores, predict)]));
      moments.add(row, scores);
      plot?.add(row, scores);
      rows++;
      progress.tick();
    }
  } finally {
    progress.end();
  }
  if (rows === 0) throw new HtmEngineError('invalid_argument', `${source.name}: all its rows are bad`);
  return {
    name: source.name,
    timestampColumn: header[columns.time] ?? '',
    valueColumn: header[columns.value] ?? '',
    variant,
    range,
    rangeGiven: options.min !== undefined,
    resolution,
    rows,
    badRows,
    moments: moments.top(),
  };
}

/** The table goes to standard output, unless the rows do. */
async function report(summary: Summary, { json = false, out }: DetectOptions): Promise<void> {
  if (json) return Output.toStandardOutput().write(summaryJson(summary));
  const stream = out === undefined ? process.stderr : process.stdout;
  if (out === undefined) stream.write(`\n${summaryText(summary, stream)}`);
  else await Output.toStandardOutput().write(summaryText(summary, stream));
}

function pageOf(summary: Summary, series: PlotSeries): string {
  const { name, valueColumn, moments } = summary;
  return plotPage({ title: name, subtitle: settingsText(summary), valueName: valueColumn, series, moments });
}

function newColumns(header: readonly string[], predict: boolean): string[] {
  const names = ['raw_score', 'anomaly_score', 'log_likelihood', ...(predict ? ['prediction'] : [])];
  const taken = names.find((name) => header.includes(name));
  if (taken !== undefined)
    throw new HtmEngineError(
      'invalid_argument',
      `there is a column ${taken} already: rename it, its name is needed for the result`,
    );
  return names;
}

function newCells(scores: RowScores, predict: boolean): (string | number)[] {
  const { rawScore, anomalyScore, logLikelihood, prediction } = scores;
  return [rawScore, anomalyScore, logLikelihood, ...(predict ? [prediction ?? ''] : [])];
}

function badRowsOf({ skipBad = false }: DetectOptions): BadRows {
  return new BadRows(skipBad);
}
