import { acceptedRows, nabDirectory, nabFiles, readNabFile, type Series } from '../support/nab.ts';
import { type RunOutcome, runPipeline } from '../support/pipeline-run.ts';

/** All series of the benchmark's half that lies beside the checkout. */
export function allSeries(): Series[] {
  const directory = nabDirectory();
  if (directory === null) throw new Error('the benchmark is not beside the checkout (../shared/nab)');
  return nabFiles(directory).map((file) => readNabFile(directory, file));
}

/** Real input: every file over TCP with its own timestamps, monitored without a range after its last row. */
export async function nab(): Promise<void> {
  const series = allSeries();
  const outcome = await runPipeline({ series, monitor: 'afterLastRow' });
  process.stdout.write(refusalTable(series, outcome));
  const missing =
    series.reduce((sum, { timestamps }) => sum + timestamps.length, 0) - sumRows(outcome) - outcome.refused;
  if (missing !== 0) throw new Error(`${missing} samples were neither stored nor counted as refused`);
}

/** Rows sent, stored and scored of each series, and the file's own duplicates. Throws where they do not agree. */
export function refusalTable(series: readonly Series[], { rows, metrics }: RunOutcome): string {
  const lines = series.map((one) => {
    const accepted = acceptedRows(one).length;
    const stored = rows.get(one.name)?.length ?? 0;
    const scored = rows.get(one.name)?.filter(({ anomalyScore }) => anomalyScore !== null).length ?? 0;
    const state = metrics.find(({ name }) => name === one.name)?.state;
    const sent = one.timestamps.length;
    if (stored !== accepted || scored !== accepted || state !== 'ACTIVE') {
      throw new Error(
        `${one.name}: ${sent} sent, ${accepted} to accept, ${stored} stored, ${scored} scored, ${String(state)}`,
      );
    }
    return [one.name.padEnd(60), sent, stored, scored, sent - stored]
      .map((cell) => String(cell).padStart(8))
      .join('');
  });
  const title = ['metric'.padEnd(60), 'sent', 'stored', 'scored', 'refused']
    .map((cell) => cell.padStart(8))
    .join('');
  return `${[title, ...lines].join('\n')}\n`;
}

function sumRows({ rows }: RunOutcome): number {
  return [...rows.values()].reduce((sum, list) => sum + list.length, 0);
}
