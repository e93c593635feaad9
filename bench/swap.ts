/** `npm run bench:swap`: what it costs to put a model out of memory and to have it back. */
import { constants, PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { decodeCheckpoint, encodeCheckpoint } from '../src/checkpoints/codec.ts';
import { DEFAULT_CEILING } from '../src/generation.ts';
import { AnomalyModel, algorithmRevision, scalarAnomalyParameters } from '../src/htm/index.ts';
import { freeTable } from '../src/htm/tables.ts';
import { calibrate, describeMachine } from './calibration.ts';
import { FIRST_SECOND, LEARNED_ROWS, ROW_SECONDS } from './fleet-rows.ts';
import { fleetShapes, type Shape } from './fleet-shapes.ts';
import { round, table } from './table.ts';

/** One shape of each kind is enough: variants differ in phase and noise. */
const EVERY = 4;
const ROUNDS = 3;
const NAME = { metricId: '0'.repeat(32), generation: 1, rowid: LEARNED_ROWS, revision: algorithmRevision };

interface SwapCost {
  readonly shape: string;
  readonly warmBytes: number;
  readonly checkpointBytes: number;
  /** Medians of the swaps of all rounds. */
  readonly loadMs: number;
  readonly saveMs: number;
}

interface SwapBench {
  readonly machine: ReturnType<typeof describeMachine>;
  readonly calibrationMs: number;
  readonly swaps: number;
  readonly costs: readonly SwapCost[];
  /** CPU of the whole process per swap, out and in, the collector's threads included. */
  readonly processCpuMs: number;
  /** Full collections and young ones per hundred swaps. */
  readonly collections: { readonly full: number; readonly young: number };
}

const { values } = parseArgs({
  options: { swaps: { type: 'string', default: '100' }, json: { type: 'boolean', default: false } },
});
const swaps = Number(values.swaps);
if (!(Number.isSafeInteger(swaps) && swaps > 0)) {
  process.stderr.write(`--swaps is ${values.swaps}: it must be a whole number above 0\n`);
  process.exit(2);
}
const bench = await measure(swaps);
process.stdout.write(values.json ? `${JSON.stringify(bench)}\n` : report(bench));

async function measure(perShape: number): Promise<SwapBench> {
  const calibrationMs = calibrate(5);
  const learned = fleetShapes()
    .filter((_, i) => i % EVERY === 0)
    .map(learn);
  for (const each of learned) swap(each, Math.ceil(perShape / 4));
  const collections = { full: 0, young: 0 };
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
      collections[kindOf(entry) === constants.NODE_PERFORMANCE_GC_MAJOR ? 'full' : 'young']++;
  });
  observer.observe({ entryTypes: ['gc'] });
  const before = process.cpuUsage();
  const times = learned.map(() => ({ load: [] as number[], save: [] as number[] }));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, each] of learned.entries()) {
      const { load, save } = swap(each, perShape);
      times[i]?.load.push(...load);
      times[i]?.save.push(...save);
    }
  }
  const { user, system } = process.cpuUsage(before);
  // What was observed is told a moment later.
  await delay(50);
  observer.disconnect();
  const all = ROUNDS * perShape * learned.length;
  return {
    machine: describeMachine(),
    calibrationMs,
    swaps: all,
    costs: learned.map(({ shape, model, checkpoint }, i) => ({
      shape,
      warmBytes: model.byteLength,
      checkpointBytes: checkpoint.byteLength,
      loadMs: median(times[i]?.load ?? []),
      saveMs: median(times[i]?.save ?? []),
    })),
    processCpuMs: (user + system) / 1000 / all,
    collections: { full: (100 * collections.full) / all, young: (100 * collections.young) / all },
  };
}

interface Learned {
  readonly shape: string;
  model: AnomalyModel;
  readonly checkpoint: Uint8Array;
}

function learn(shape: Shape): Learned {
  const { min, max } = shape;
  const model = AnomalyModel.create(scalarAnomalyParameters({ min, max, ceiling: DEFAULT_CEILING }));
  for (let row = 0; row < LEARNED_ROWS; row++)
    model.run(FIRST_SECOND + ROW_SECONDS * row, shape.value(row, 1));
  return { shape: shape.name, model, checkpoint: encodeCheckpoint(NAME, model.bytes()) };
}

/** Puts the model out of memory and has it back as a worker does, `count` times: milliseconds of each. */
function swap(learned: Learned, count: number): { load: number[]; save: number[] } {
  const load: number[] = [];
  const save: number[] = [];
  for (let i = 0; i < count; i++) {
    const begun = performance.now();
    const left = learned.model.bytes();
    const checkpoint = encodeCheckpoint(NAME, left);
    freeTable(left);
    learned.model.release();
    const saved = performance.now();
    const state = decodeCheckpoint(NAME, checkpoint);
    learned.model = AnomalyModel.from(state);
    freeTable(state);
    load.push(performance.now() - saved);
    save.push(saved - begun);
  }
  return { load, save };
}

/** Node gives it, and its types do not know. */
function kindOf(entry: PerformanceEntry): number {
  return (entry as PerformanceEntry & { readonly detail: { readonly kind: number } }).detail.kind;
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >>> 1] ?? NaN;
}

function report({ machine, calibrationMs, swaps: all, costs, processCpuMs, collections }: SwapBench): string {
  const rows = costs.map(({ shape, warmBytes, checkpointBytes, loadMs, saveMs }) => [
    shape,
    round(warmBytes / 2 ** 20),
    round(checkpointBytes / 1024),
    round(loadMs),
    round(saveMs),
    round((loadMs + saveMs) / calibrationMs),
  ]);
  const head = ['model', 'warm MiB', 'checkpoint KiB', 'load ms', 'save ms', 'both / calibration'];
  return [
    `${machine.cpu}, ${machine.cores} cores, load ${machine.load.toFixed(1)}, Node ${machine.node}; calibration ${calibrationMs.toFixed(1)} ms`,
    table(head, rows),
    `${all} swaps: ${round(processCpuMs)} ms of CPU each with the collector's, ${round(collections.full)} full collections and ${round(collections.young)} young ones per hundred`,
    '',
  ].join('\n');
}
