import { HtmEngineError } from '../../errors.ts';
import { EngineClient } from '../../client/engine-client.ts';
import { BadRows } from '../../csv/bad-rows.ts';
import type { Source } from '../../csv/source.ts';
import { openSource } from '../open-source.ts';
import { CsvTable, naming } from '../../csv/table.ts';
import { Output } from '../terminal/output.ts';
import { Progress } from '../terminal/progress.ts';
import { countText } from '../terminal/text.ts';
import { Importer } from './importer.ts';
import { chooseLayout, type LayoutOptions } from './layout.ts';

/** Flags of `import`. */
export interface ImportOptions extends LayoutOptions {
  readonly url: string;
  readonly token?: string;
  readonly json?: boolean;
  readonly skipBad?: boolean;
}

/**
 * Stores the rows of a CSV file (`-`: standard input) that the engine does not have yet. Holds two batches of rows.
 * Interrupted, it has stored every row up to some line: the same command goes on from there.
 * @throws HtmEngineError `invalid_argument`, `engine_unreachable`, `engine_refused`; UsageError
 */
export async function importFile(file: string, options: ImportOptions): Promise<void> {
  const client = new EngineClient(options.url, options);
  await client.check();
  const source = await openSource(file, false);
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    await importSource(client, source, file, options, interrupted.signal);
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    await source.close();
  }
}

async function importSource(
  client: EngineClient,
  source: Source,
  file: string,
  options: ImportOptions,
  signal: AbortSignal,
): Promise<void> {
  const startedAtMs = performance.now();
  const badRows = new BadRows(options.skipBad === true);
  let trouble = '';
  const importer = new Importer(client, badRows, { signal, onWait: (reason) => (trouble = reason) });
  const progress = new Progress(process.stderr, source.sizeBytes, () => {
    const text = `${countText(importer.stored, 'row')} stored, ${importer.skipped.toLocaleString('en')} skipped`;
    const waiting = trouble === '' ? '' : `; waited for the engine (${trouble})`;
    trouble = '';
    return text + waiting;
  });
  const ticking = setInterval(() => progress.tick(), TICK_MS);
  try {
    const table = await CsvTable.open(source, (bytes) => progress.advance(bytes));
    const layout = chooseLayout(table.header, table.firstRow, file, options);
    if (options.json !== true) process.stderr.write(`${source.name}: ${layout.description}\n`);
    for await (const record of table.records()) {
      if (signal.aborted) break;
      const wrong = table.wrongWith(record);
      const row = wrong === null ? layout.read(record.fields) : { wrong };
      if (row.wrong !== undefined)
        await flushThen(importer, () => badRows.add({ line: record.line, reason: row.wrong }));
      else for (const sample of row.samples) await importer.add({ line: record.line, sample });
    }
    await importer.end();
  } catch (error) {
    throw naming(source, stoppedAt(error, importer));
  } finally {
    clearInterval(ticking);
    progress.end();
  }
  await report(importer, badRows, options, (performance.now() - startedAtMs) / 1000, signal.aborted);
}

const TICK_MS = 250;

/** A bad row may end the import: the rows before it are stored first, so that the same command goes on behind them. */
async function flushThen(importer: Importer, addBadRow: () => void): Promise<void> {
  try {
    addBadRow();
  } catch (error) {
    await importer.end();
    throw error;
  }
}

function stoppedAt(error: unknown, { stored }: Importer): unknown {
  if (!(error instanceof HtmEngineError) || stored === 0) return error;
  return new HtmEngineError(
    error.code,
    `${error.message}; ${countText(stored, 'row')} before it were stored, the same command goes on behind them`,
    error.details,
  );
}

async function report(
  importer: Importer,
  badRows: BadRows,
  { json = false }: ImportOptions,
  seconds: number,
  interrupted: boolean,
): Promise<void> {
  const { stored, skipped, metrics } = importer;
  if (interrupted) process.exitCode = 1;
  const output = Output.toStandardOutput();
  if (json) {
    const bad = { count: badRows.count, examples: badRows.examples };
    await output.write(
      `${JSON.stringify({ stored, skipped, metrics, badRows: bad, interrupted }, null, 2)}\n`,
    );
    return;
  }
  const rate =
    seconds < 1 || stored === 0 ? '' : `, ${Math.round(stored / seconds).toLocaleString('en')} a second`;
  const lines = [
    `${countText(stored, 'row')} of ${countText(metrics, 'metric')} stored in ${seconds.toFixed(1)} s${rate}`,
  ];
  if (skipped > 0)
    lines.push(`${countText(skipped, 'row')} skipped: the engine has rows as new or newer of their metrics`);
  if (badRows.count > 0) {
    lines.push(`${countText(badRows.count, 'bad row')} left out:`);
    lines.push(...badRows.examples.map(({ line, reason }) => `  line ${line}: ${reason}`));
    if (badRows.count > badRows.examples.length)
      lines.push(`  and ${(badRows.count - badRows.examples.length).toLocaleString('en')} more`);
  }
  if (interrupted) lines.push('Interrupted: the same command goes on from here.');
  await output.write(`${lines.join('\n')}\n`);
}
