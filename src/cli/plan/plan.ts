import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { loadConfig } from '../../config/resolve.ts';
import { checkpointsKeptIn } from '../../ground.ts';
import { commandLineSettings, type ConfigOptions } from '../config-options.ts';
import { Output } from '../terminal/output.ts';
import { Progress } from '../terminal/progress.ts';
import { estimate, type Estimate, type Question } from './estimate.ts';
import { measure, type Measured } from './measure.ts';

export type PlanOptions = ConfigOptions & {
  readonly metrics: number;
  readonly interval: number;
  readonly seconds: number;
  readonly json?: true;
};

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const STEPS = 100;

/** Says what so many metrics would take on this machine. Fails if it cannot carry them. */
export async function plan(options: PlanOptions): Promise<void> {
  const config = loadConfig(commandLineSettings(options));
  const { dataDirectory, scheduler, monitoring, retention, store } = config;
  const { enabled, ...limits } = monitoring.ceiling;
  const { minimumRows, variant } = monitoring;
  const progress = new Progress(process.stderr, STEPS, () => 'measuring');
  let done = 0;
  const costs = await measure({
    models: { minimumRows, variant, ceiling: enabled ? limits : null },
    store,
    checkpointsAreRows: checkpointsKeptIn(config) === 'database',
    seconds: options.seconds,
    onProgress: (share) => {
      progress.advance(STEPS * share - done);
      done = STEPS * share;
    },
  });
  progress.end();
  const question: Question = {
    metrics: options.metrics,
    intervalSeconds: options.interval,
    workers: scheduler.workers,
    memoryBudgetBytes: scheduler.memoryBudgetBytes,
    memoryBytes: memoryBytes(),
    freeDiskBytes: await freeBytes(dataDirectory),
    maxAgeDays: retention.maxAgeDays,
  };
  const outcome = estimate(costs, question);
  const machine = { cores: cpus().length, model: cpus()[0]?.model ?? 'unknown', node: process.versions.node };
  await Output.toStandardOutput().write(
    options.json === true
      ? `${JSON.stringify({ machine, question, costs, estimate: outcome }, null, 2)}\n`
      : text(question, costs, outcome),
  );
  if (outcome.obstacles.length > 0) process.exitCode = 1;
}

/** What the container allows, else what the machine has. */
function memoryBytes(): number {
  const allowed = process.constrainedMemory();
  return allowed > 0 ? Math.min(allowed, totalmem()) : totalmem();
}

/** Of the file system where the directory is, or will be. */
async function freeBytes(directory: string): Promise<number> {
  let existing = directory;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  const { bavail, bsize } = await statfs(existing);
  return bavail * bsize;
}

function text(question: Question, costs: Measured, outcome: Estimate): string {
  const facts: [string, string][] = [
    ['samples', `${number(outcome.samplesPerSecond)} a second`],
    [
      'memory',
      `${size(outcome.residentBytes)}, ${outcome.warmModels.toLocaleString('en')} models warm in a budget of ${size(question.memoryBudgetBytes)}`,
    ],
    [
      'swap-ins',
      outcome.swapInsPerSecond === 0
        ? 'none: all models stay in memory'
        : `${number(outcome.swapInsPerSecond)} a second`,
    ],
    ['saving', `${number(outcome.savesPerSecond)} models a second, of ${size(costs.checkpointBytes)} each`],
    [
      'CPU',
      `${percent(outcome.workersBusy)} of ${question.workers} worker threads, ${percent(outcome.storeBusy)} of the database's time`,
    ],
    [
      'lag',
      outcome.lagSeconds === null
        ? 'grows without end'
        : `${number(outcome.lagSeconds)} s if samples come evenly, up to ${number(outcome.lagAllAtOnceSeconds ?? 0)} s if all come at once`,
    ],
    ['disk', diskText(question, outcome)],
    [
      'measured',
      `${number(costs.computeMs)} ms a row, ${number(costs.loadMs)} ms to load and ${number(costs.saveMs)} ms to pack a model, ${number(costs.writeMs)} ms to write it, ${number(costs.storeMs)} ms a sample in the database;`,
    ],
    [
      '',
      `${size(costs.modelBytes)} a model, ${size(costs.checkpointBytes)} saved${costs.rowBytes === null ? '' : `, ${Math.round(costs.rowBytes)} bytes a row`}`,
    ],
  ];
  const lines = facts.map(([label, fact]) => `  ${label.padEnd(10)}${fact}`);
  return `${question.metrics.toLocaleString('en')} metrics, a sample every ${question.intervalSeconds} s, on this machine:
${lines.join('\n')}

Assumed: models that have learned ${Math.min(...costs.learnedRows).toLocaleString('en')} to ${Math.max(...costs.learnedRows).toLocaleString('en')} rows (older ones are larger and slower, up to the ceiling); the machine as busy
as it was just now; ${costs.rowBytes === null ? 'the database server as it answered this machine just now' : 'SQLite in the temporary directory'}; samples that come evenly, of which each loads its model if that is not in memory.
${verdict(outcome)}`;
}

function diskText({ maxAgeDays }: Question, outcome: Estimate): string {
  const { diskBytesPerDay, checkpointBytes, diskBytesKept, daysOfDisk } = outcome;
  if (diskBytesPerDay === null)
    return `${size(checkpointBytes)} of saved models; rows are on the database server`;
  const kept =
    diskBytesKept === null ? '' : `; ${size(diskBytesKept)} in all with rows purged after ${maxAgeDays} days`;
  const full = daysOfDisk === null ? '' : `; full in ${Math.floor(daysOfDisk).toLocaleString('en')} days`;
  return `${size(diskBytesPerDay)} of rows a day, ${size(checkpointBytes)} of saved models${kept}${full}`;
}

function verdict({ obstacles }: Estimate): string {
  if (obstacles.length === 0) return 'This machine can carry it.\n';
  return `This machine cannot carry it:\n${obstacles.map((obstacle) => `- ${obstacle}\n`).join('')}`;
}

function size(bytes: number): string {
  return bytes >= GIB ? `${(bytes / GIB).toFixed(1)} GiB` : `${(bytes / MIB).toFixed(1)} MiB`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function number(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en', { maximumFractionDigits: 6 });
}
