import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ConfigInput } from '../../src/config.ts';
import { databaseFile } from '../../src/data-directory.ts';
import { damageCheckpoints, type Damage } from '../support/checkpoint-damage.ts';
import { temporaryDirectory, until } from '../support/engine-process.ts';
import { type Fault, type FaultOutcome, FaultRun } from '../support/fault-run.ts';
import { FaultyEngine } from '../support/faulty-engine.ts';
import type { Series } from '../support/nab.ts';
import { firstDifference } from '../support/pipeline-run.ts';
import { dailySeries, seededRandom } from '../support/series.ts';
import { SmallDisk } from '../support/small-disk.ts';

/** Fewer if these say so. */
const METRICS = Number(process.env.HTMENGINE_FAULTS_METRICS ?? 500);
const ROWS = Number(process.env.HTMENGINE_FAULTS_ROWS ?? 450);
const KILLS = Number(process.env.HTMENGINE_FAULTS_KILLS ?? 20);
const RANGE = { min: 0, max: 160 };
/**
 * Memory for about a dozen of 500 models. Models as young as these are cheaper replayed than saved: without the ceiling most
 * had no checkpoint that could be damaged.
 */
const TINY: ConfigInput = {
  scheduler: { memoryBudgetBytes: Math.max(2, Math.round(METRICS / 40)) * 2 ** 20, checkpointRows: 4 },
};
const DISK_BYTES = 2 ** 30;
const STOPPED_MS = 10_000;
const FAULT_MS = 5_000;
const LOCKED_MS = 30_000;
/** Until an engine notices, and until it goes on: longer than any pause between two of its trials. */
const NOTICE_MS = 120_000;
const NOBODY = 65_534;
const SEED = 6;

/**
 * An engine of 500 models with memory for a dozen is killed, stopped, robbed of its checkpoints, its disk, its rights and
 * its database, each time while rows wait: rows, scores and what a lasting consumer got equal an undisturbed run's bit for bit.
 */
export async function faults(): Promise<void> {
  const series = Array.from({ length: METRICS }, (_, i) =>
    dailySeries(`faults.${String(i).padStart(3, '0')}`, ROWS, i + 1),
  );
  process.stdout.write(`${METRICS} metrics with ${ROWS} rows each, undisturbed\n`);
  const whole = await run(series, {}, () => []);
  process.stdout.write('with little memory, disturbed\n');
  const disturbed = await run(series, TINY, allFaults);
  process.stdout.write(faultTable(disturbed));
  compare(whole, disturbed);
}

async function run(
  series: readonly Series[],
  settings: ConfigInput,
  faultsOn: (disk: SmallDisk | null, random: () => number) => readonly Fault[],
): Promise<FaultOutcome> {
  const directory = await temporaryDirectory();
  // Root may write everywhere; an engine that is to lose its rights must be somebody else.
  const uid = process.getuid?.() === 0 ? NOBODY : undefined;
  const [data, results] = [join(directory.path, 'data'), join(directory.path, 'results')];
  for (const path of [data, results]) await mkdir(path);
  const disk = SmallDisk.mount(data, DISK_BYTES);
  for (const path of [directory.path, data, results]) if (uid !== undefined) await chown(path, uid, uid);
  const engine = new FaultyEngine(data, results, { ...settings, log: { level: 'warn' } }, uid);
  const random = seededRandom(SEED);
  try {
    return await new FaultRun(engine, series, RANGE).execute(faultsOn(disk, random), random);
  } finally {
    await engine.dispose();
    disk?.unmount();
    await directory.remove();
  }
}

function allFaults(disk: SmallDisk | null, random: () => number): Fault[] {
  const kill: Fault = { name: 'SIGKILL', strike: (engine) => reborn(engine) };
  const stop: Fault = {
    name: `SIGSTOP, ${STOPPED_MS / 1000} s`,
    strike: async ({ process: { child } }) => {
      child.kill('SIGSTOP');
      await delay(STOPPED_MS);
      child.kill('SIGCONT');
    },
  };
  // A kill between them gives models time to be saved again.
  const damages = (['truncated', 'zeroed', 'bit-flipped', 'removed'] as const).flatMap((damage) => [
    damaged(damage, 1, random),
    kill,
    damaged(damage, 2, random),
    kill,
  ]);
  const otherKills = Math.max(0, KILLS - damages.length / 2);
  if (disk === null) process.stdout.write('  mounting is not allowed here: the disk is not filled\n');
  return [
    ...Array.from({ length: Math.floor(otherKills / 2) }, () => kill),
    stop,
    ...damages,
    ...(disk === null ? [] : [diskFull(disk)]),
    checkpointsForbidden,
    databaseForbidden,
    databaseLocked,
    stop,
    ...Array.from({ length: Math.ceil(otherKills / 2) }, () => kill),
  ];
}

/** Kills it and starts it again. @param between done while it is dead */
async function reborn(engine: FaultyEngine, between: () => Promise<void> = () => Promise.resolve()) {
  await engine.end('SIGKILL');
  await between();
  await engine.start();
}

function damaged(damage: Damage, each: 1 | 2, random: () => number): Fault {
  return {
    name: `SIGKILL, ${each === 1 ? 'newest checkpoint' : 'both checkpoints'} ${damage}`,
    strike: (engine) =>
      reborn(engine, async () => {
        const count = await damageCheckpoints(engine.dataDirectory, damage, each, random);
        process.stdout.write(`    ${count} files\n`);
        if (count < METRICS / 2) throw new Error('few models were ever saved: nothing is shown');
      }),
  };
}

function diskFull(disk: SmallDisk): Fault {
  return {
    name: 'disk full',
    strike: async (engine, more) => {
      // Ended in order it leaves no log of the database, in which there might be room.
      await engine.end('SIGTERM');
      await engine.start();
      const { refused } = await engine.counted();
      disk.fill();
      const stored = more();
      await until(
        'a transaction is refused',
        async () => (await engine.counted()).refused > refused,
        NOTICE_MS,
      );
      await expectUnready(engine);
      await delay(FAULT_MS);
      disk.makeRoom();
      await ready(engine);
      await stored;
    },
  };
}

const checkpointsForbidden: Fault = {
  name: 'no rights to the checkpoints',
  strike: async (engine, more) => {
    const { failed } = await engine.counted();
    const checkpoints = join(engine.dataDirectory, 'checkpoints');
    await chmod(checkpoints, 0o000);
    const stored = more();
    await until('a checkpoint is missed', async () => (await engine.counted()).failed > failed, NOTICE_MS);
    await delay(FAULT_MS);
    await chmod(checkpoints, 0o750);
    await stored;
  },
};

const databaseForbidden: Fault = {
  name: 'SIGKILL, no right to write the database',
  strike: (engine) =>
    reborn(engine, async () => {
      const file = databaseFile(engine.dataDirectory);
      await chmod(file, 0o440);
      const refusal = await engine.start().then(
        () => null,
        (error: unknown) => String(error),
      );
      await chmod(file, 0o640);
      if (refusal === null) throw new Error('the engine started on a database that it may not write');
      if (!refusal.includes('write permission')) throw new Error(`that is no help: ${refusal}`);
    }),
};

const databaseLocked: Fault = {
  name: `database locked, ${LOCKED_MS / 1000} s`,
  strike: async (engine) => {
    const holder = await holdLock(engine);
    try {
      await delay(LOCKED_MS);
      await expectUnready(engine);
    } finally {
      const gone = once(holder, 'exit');
      holder.stdin?.end();
      await gone;
    }
    await ready(engine);
  },
};

/** A process of its own that has the write lock of the engine's database when this resolves. */
async function holdLock({ dataDirectory, uid }: FaultyEngine): Promise<ChildProcess> {
  const program = join(import.meta.dirname, '../support/lock-holder.ts');
  const holder = spawn(process.execPath, [program, databaseFile(dataDirectory)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    ...(uid !== undefined && { uid, gid: uid }),
  });
  const [first] = (await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit')])) as [unknown];
  if (!(first instanceof Buffer)) throw new Error('the database could not be locked');
  return holder;
}

async function expectUnready(engine: FaultyEngine): Promise<void> {
  await until('/readyz says so', async () => (await engine.readiness()) === 503, NOTICE_MS);
}

async function ready(engine: FaultyEngine): Promise<void> {
  await until('/readyz says that it is over', async () => (await engine.readiness()) === 200, NOTICE_MS);
}

/** As it stands in docs/reliability.md. */
function faultTable({ faults: records, counted, recorded, rows }: FaultOutcome): string {
  const count = [...rows.values()].reduce((total, each) => total + each.length, 0);
  const cells = (all: readonly (string | number)[]) => `| ${all.join(' | ')} |\n`;
  const lines = records.map(({ name, pending, counted: { replayed, unusable, refused, failed } }) =>
    cells([name, ...[pending, replayed, unusable, refused, failed].map((n) => n.toLocaleString('en'))]),
  );
  return [
    cells([
      'fault',
      'rows pending',
      'replayed',
      'checkpoints refused',
      'transactions refused',
      'calls failed',
    ]),
    cells(['---', '---', '---', '---', '---', '---']),
    ...lines,
    `${count} rows; ${recorded.results.size} results, ${recorded.repeated} of them delivered again; `,
    `${counted.replayed} rows replayed in all, ${counted.mismatches} with another score\n`,
  ].join('');
}

function compare(whole: FaultOutcome, disturbed: FaultOutcome): void {
  const difference = firstDifference(whole.rows, disturbed.rows);
  if (difference !== null) throw new Error(`rows differ: ${difference}`);
  const expected = whole.recorded.results;
  for (const [key, result] of disturbed.recorded.results)
    if (expected.get(key) !== result)
      throw new Error(`results differ: ${String(expected.get(key))} and ${result}`);
  if (expected.size !== disturbed.recorded.results.size) throw new Error('results are missing');
  if (disturbed.counted.mismatches > 0) throw new Error('a replayed row gave another score');
  const { faults: records, counted } = disturbed;
  if (counted.replayed === 0 || counted.unusable === 0) throw new Error('nothing was replayed or refused');
  for (const { name, counted: found } of records)
    if (name.includes('disk full') || name.includes('locked'))
      if (found.refused === 0) throw new Error(`${name}: nothing was refused`);
  process.stdout.write('rows, scores and results equal the undisturbed run\n');
}
