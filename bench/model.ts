/** `npm run bench:model`: what a model costs per sample, in memory and on disk. */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { CeilingArgument } from '../src/cli/commands/arguments.ts';
import { parseCeiling } from '../src/cli/commands/arguments.ts';
import { DEFAULT_CEILING } from '../src/generation.ts';
import { calibrate, describeMachine } from './calibration.ts';
import { measureFirstCreate, measureModel } from './model-cost.ts';
import { measureFleet } from './model-fleet.ts';
import type { FleetMemory } from './model-fleet.ts';
import { describeBench, describeFleet } from './model-report.ts';
import type { FleetBench, ModelBench } from './model-report.ts';
import {
  DEFAULT_SERIES,
  FLEET_SERIES,
  NOISE_SERIES,
  corpusSeries,
  firstRows,
  syntheticSeries,
} from './model-series.ts';
import { judge } from './model-targets.ts';
import { BenchInputError, listSeries } from './nab-corpus.ts';
import type { Series } from './nab-corpus.ts';
import { VARIANTS } from './nab-detector.ts';
import type { Variant } from './nab-detector.ts';
import { Progress } from '../src/cli/terminal/progress.ts';

interface Options {
  readonly corpus: string;
  readonly series?: readonly string[];
  readonly all?: boolean;
  readonly fleet?: number;
  readonly variant: readonly Variant[];
  readonly ceiling?: CeilingArgument;
  readonly rows: number;
  readonly runs: number;
  readonly json?: boolean;
}

const SYNTHETIC_ROWS = 10_000;
const COMMAND = ['npm run bench:model', ...process.argv.slice(2)]
  .join(process.argv.length > 2 ? ' ' : '')
  .replace('bench:model ', 'bench:model -- ');

const program = new Command('bench:model')
  .description(
    'Measures what a model costs per sample, in memory and on disk, and prints it with the machine.',
  )
  .option('--corpus <dir>', 'the benchmark: data/', '../shared/nab')
  .option('--series <names...>', `category/file.csv of the corpus (default: ${DEFAULT_SERIES.join(', ')})`)
  .option('--all', 'all series of the corpus')
  .option(
    '--fleet <n>',
    'instead: memory of so many trained models in one process, of the series in turn (default: the first three)',
    positiveInteger,
  )
  .addOption(new Option('--variant <names...>', 'temporal memories').choices(VARIANTS).default(VARIANTS))
  .option(
    '--ceiling <limits>',
    "most the memory may hold: on (the engine's default), off, or SEGMENTS,SYNAPSES (default: off, noise with both)",
    parseCeiling,
  )
  .option('--rows <n>', 'only the first rows of each series', positiveInteger, Infinity)
  .option('--runs <n>', 'how often everything is run; the best counts', positiveInteger, 5)
  .option('--json', 'print the figures as JSON')
  .action(bench);

try {
  await program.parseAsync();
} catch (error) {
  const isFileError = error instanceof Error && 'syscall' in error;
  if (!(error instanceof BenchInputError) && !isFileError) throw error;
  program.error(`error: ${error.message}`);
}

async function bench(options: Options): Promise<void> {
  const { corpus, rows, fleet } = options;
  const found = corpusSeries(corpus, namesOf(options));
  const series = (found ?? [syntheticSeries(SYNTHETIC_ROWS)]).map((whole) => firstRows(whole, rows));
  const missingCorpus = found === undefined ? corpus : null;
  if (fleet === undefined) benchCosts(options, series, missingCorpus);
  else await benchFleet(options, series, missingCorpus, fleet);
}

function namesOf({ corpus, all = false, series, fleet }: Options): readonly string[] {
  if (all) return listSeries(corpus);
  return series ?? (fleet === undefined ? DEFAULT_SERIES : FLEET_SERIES);
}

function benchCosts(
  { variant: variants, ceiling, runs, json = false }: Options,
  series: readonly Series[],
  missingCorpus: string | null,
): void {
  const usualCeilings = (name: string) => (name === NOISE_SERIES ? [null, DEFAULT_CEILING] : [null]);
  const cases = variants.flatMap((variant) =>
    series.flatMap((one) =>
      (ceiling === undefined ? usualCeilings(one.name) : [ceiling.limits]).map((limits) => ({
        one,
        variant,
        limits,
      })),
    ),
  );
  const progress = new Progress(process.stderr, cases.length * (runs + 1));
  const before = calibrate(runs);
  const firstCreateMs = measureFirstCreate();
  const costs = cases.map(({ one, variant, limits }) => {
    const cost = measureModel(one, variant, limits, runs, () => progress.advance(1));
    progress.finished(`${variant} ${one.name}`);
    return cost;
  });
  progress.end();
  const findings: ModelBench = {
    command: COMMAND,
    machine: describeMachine(),
    calibrationMs: { before, after: calibrate(runs) },
    runs,
    missingCorpus,
    firstCreateMs,
    costs,
    targets: judge(costs),
  };
  process.stdout.write(json ? `${JSON.stringify(findings, null, 1)}\n` : describeBench(findings));
}

async function benchFleet(
  { variant: variants, ceiling, json = false }: Options,
  series: readonly Series[],
  missingCorpus: string | null,
  models: number,
): Promise<void> {
  const progress = new Progress(process.stderr, series.length * variants.length);
  const fleets: FleetMemory[] = [];
  for (const variant of variants) {
    const trained = (name: string) => {
      progress.advance(1);
      progress.finished(`${variant} ${name}`);
    };
    fleets.push(await measureFleet(series, variant, ceiling?.limits ?? null, models, trained));
  }
  progress.end();
  const findings: FleetBench = { command: COMMAND, machine: describeMachine(), missingCorpus, fleets };
  process.stdout.write(json ? `${JSON.stringify(findings, null, 1)}\n` : describeFleet(findings));
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return value;
}
