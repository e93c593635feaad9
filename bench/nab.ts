/** `npm run bench:nab`: runs the model over the Numenta Anomaly Benchmark, writes what it found and scores it. */
import { Command, Option } from 'commander';
import type { CeilingArgument } from '../src/cli/commands/arguments.ts';
import { parseCeiling } from '../src/cli/commands/arguments.ts';
import type { Ceiling } from '../src/htm/index.ts';
import { BenchInputError, listSeries, readList, readSeries, readWindows } from './nab-corpus.ts';
import type { Range, Variant } from './nab-detector.ts';
import { RANGES, VARIANTS } from './nab-detector.ts';
import type { DetectorScores } from './nab-report.ts';
import { scoreRuns, scoreTable, writeResults } from './nab-report.ts';
import { runAll } from './nab-run.ts';
import { Progress } from '../src/cli/terminal/progress.ts';

interface Options {
  readonly corpus: string;
  readonly out: string;
  readonly files?: string;
  readonly variant: Variant;
  readonly range: Range;
  readonly ceiling?: CeilingArgument;
  readonly json?: boolean;
}

const program = new Command('bench:nab')
  .description('Runs the model over the Numenta Anomaly Benchmark, writes what it found and scores it.')
  .requiredOption('--corpus <dir>', 'the benchmark: data/ and, to be scored, labels/')
  .requiredOption('--out <dir>', 'where to write <category>/htmengine_<file>.csv')
  .option('--files <list>', 'only these series: a text file of category/file.csv lines')
  .addOption(new Option('--variant <name>', 'temporal memory').choices(VARIANTS).default('cpp'))
  .addOption(
    new Option('--range <rows>', 'rows that the range of values is taken from')
      .choices(RANGES)
      .default('full'),
  )
  .option(
    '--ceiling <limits>',
    "most the memory may hold: on (the engine's default), off, or SEGMENTS,SYNAPSES (default: off)",
    parseCeiling,
  )
  .option('--json', 'print the scores as JSON')
  .action(bench);

try {
  await program.parseAsync();
} catch (error) {
  const isFileError = error instanceof Error && 'syscall' in error;
  if (!(error instanceof BenchInputError) && !isFileError) throw error;
  program.error(`error: ${error.message}`);
}

async function bench(options: Options): Promise<void> {
  const { corpus, out, files, variant, range, json = false } = options;
  const ceiling = options.ceiling?.limits ?? null;
  const known = listSeries(corpus);
  const names = files === undefined ? known : readList(files, known);
  const series = names.map((name) => readSeries(corpus, name));
  const windows = readWindows(corpus);
  const progress = new Progress(
    process.stderr,
    series.reduce((sum, { values }) => sum + values.length, 0),
  );
  const started = performance.now();
  const runs = await runAll(
    series,
    { corpus, variant, range, ceiling },
    {
      onRows: (rows) => progress.advance(rows),
      onSeries: (run) => {
        writeResults(out, run);
        progress.finished(run.series.name);
      },
    },
  );
  progress.end();
  const summary = {
    variant,
    range,
    ceiling,
    files: runs.length,
    rows: runs.reduce((sum, { series }) => sum + series.values.length, 0),
    seconds: (performance.now() - started) / 1000,
    cpuSeconds: runs.reduce((sum, { cpuMicroseconds }) => sum + cpuMicroseconds, 0) / 1e6,
    scores: windows === undefined ? [] : scoreRuns(runs, windows),
  };
  process.stdout.write(json ? `${JSON.stringify(summary, null, 1)}\n` : describe(summary));
}

function describe(summary: {
  variant: Variant;
  range: Range;
  ceiling: Ceiling | null;
  files: number;
  rows: number;
  seconds: number;
  cpuSeconds: number;
  scores: DetectorScores[];
}): string {
  const { variant, range, ceiling, files, rows, seconds, cpuSeconds, scores } = summary;
  const perRow = Math.round((1e6 * cpuSeconds) / rows);
  const head =
    `variant ${variant}, range from ${range === 'full' ? 'all rows' : 'the first 288 rows'}, ` +
    `ceiling ${ceiling === null ? 'off' : `${ceiling.maxSegments} segments, ${ceiling.maxSynapses} synapses`}: ` +
    `${files} files, ${rows} rows in ${seconds.toFixed(1)} s, ${perRow} microseconds of CPU a row\n`;
  if (scores.length === 0) return `${head}The corpus has no labels: nothing is scored.\n`;
  return `${head}\n${scoreTable(scores)}\n`;
}
