import type { KillRecord } from '../support/pipeline-run.ts';
import { firstDifference, runPipeline } from '../support/pipeline-run.ts';
import { allSeries } from './nab.ts';

/** Ten SIGKILLs at random moments, rows waiting at each: rows and scores equal the undisturbed run's bit for bit. */
export async function kills(): Promise<void> {
  const series = allSeries();
  for (const monitor of ['afterLastRow', 'beforeFirstRow'] as const) {
    process.stdout.write(`monitored ${monitor}: undisturbed\n`);
    const undisturbed = await runPipeline({ series, monitor });
    process.stdout.write(`monitored ${monitor}: ten kills\n`);
    const killed = await runPipeline({ series, monitor, kills: 10, seed: 7 });
    process.stdout.write(killTable(killed.kills));
    const difference = firstDifference(undisturbed.rows, killed.rows);
    if (difference !== null) throw new Error(`rows differ: ${difference}`);
    if (killed.kills.every(({ replayed }) => replayed === 0)) throw new Error('nothing was ever replayed');
  }
}

/** One line per kill. */
export function killTable(records: readonly KillRecord[]): string {
  const lines = records.map(({ scored, pending, replayed }, i) =>
    [i + 1, scored, pending, replayed].map((cell) => String(cell).padStart(12)).join(''),
  );
  const title = ['kill', 'scored', 'pending', 'replayed'].map((cell) => cell.padStart(12)).join('');
  return `${[title, ...lines].join('\n')}\n`;
}
