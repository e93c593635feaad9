import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { reportTable, type Tally } from '../../examples/traffic/report.ts';
import { temporaryDirectory } from '../support/engine-process.ts';

const ROOT = join(import.meta.dirname, '../..');
const SEEDS = '5';
/** What the report may fall to over all seeds before something is wrong with the engine. */
const LEAST = { recall: 0.75, falseAlarmsPerDay: 0.05 };

interface Report {
  readonly seeds: readonly (Tally & { readonly seed: number })[];
  readonly all: { readonly recall: number; readonly falseAlarmsPerDay: number };
}

/** How well the traffic application finds what was planted, over five seeds. */
export async function traffic(): Promise<void> {
  const directory = await temporaryDirectory();
  try {
    await cp(join(ROOT, 'examples/traffic'), directory.path, { recursive: true });
    await mkdir(join(directory.path, 'node_modules'));
    await symlink(ROOT, join(directory.path, 'node_modules/htmengine'));
    const text = await report(directory.path);
    const { all, seeds } = JSON.parse(text) as Report;
    process.stdout.write(`${reportTable(new Map(seeds.map((tally) => [tally.seed, tally])))}\n`);
    if (all.recall < LEAST.recall || all.falseAlarmsPerDay > LEAST.falseAlarmsPerDay) {
      throw new Error(
        `recall ${all.recall.toFixed(3)} (at least ${LEAST.recall}), false alarms of a route a day ${all.falseAlarmsPerDay.toFixed(3)} (at most ${LEAST.falseAlarmsPerDay})`,
      );
    }
  } finally {
    await directory.remove();
  }
}

async function report(cwd: string): Promise<string> {
  const args = ['app.ts', 'report', '--seeds', SEEDS, '--json'];
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`the report ended with code ${code ?? 'none'}`);
  return text;
}
