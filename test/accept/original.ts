import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { MetricStatus } from '../../src/metric.ts';
import { createDatabase } from '../support/database-servers.ts';
import { EngineProcess, temporaryDirectory, until } from '../support/engine-process.ts';
import { layDownOriginal, type OriginalMetric } from '../support/original-schema.ts';

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js');
const METRICS = 4;
const ROWS = 2_500;
const TIMEOUT_MS = 1_200_000;

/** A database of the original's with 10,000 rows: migrated by the command, served and scored by the program. */
export async function original(): Promise<void> {
  const database = await createDatabase('mysql');
  const directory = await temporaryDirectory();
  const begun = Date.now();
  const told = (what: string) =>
    process.stdout.write(`${((Date.now() - begun) / 1000).toFixed(1)} s: ${what}\n`);
  try {
    await layDownOriginal(database, 1, metrics());
    told(`laid down, ${METRICS} metrics of ${ROWS} rows, half of them scored`);
    const migrate = spawn(process.execPath, [MAIN, 'migrate', '--store', database.url], { stdio: 'inherit' });
    const [code] = (await once(migrate, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`htmengine migrate ended with code ${code ?? 'none'}`);
    told('migrated');
    const engine = await EngineProcess.start(directory.path, { store: { url: database.url } });
    await until('all rows to be scored', async () => (await scored()) === METRICS * ROWS, TIMEOUT_MS);
    told('scored');
    await engine.end('SIGTERM');
    const [kept] = await database.execute('select count(*) as n from original_result');
    told(`${String(kept?.['n'])} scores of the original kept`);
  } finally {
    await directory.remove();
    await database.drop();
  }

  async function scored(): Promise<number> {
    const [row] = await database.execute(
      'select count(*) as n from htmengine_results where anomaly_score is not null',
    );
    return Number(row?.['n']);
  }
}

function metrics(): OriginalMetric[] {
  return Array.from({ length: METRICS }, (_, index) => ({
    uid: `c${index}`.repeat(16),
    name: `/metric${index}`,
    status: MetricStatus.ACTIVE,
    rows: ROWS,
    scored: ROWS / 2,
    parameters: {
      datasource: 'custom',
      metricSpec: { metric: `/metric${index}` },
      ...(index % 2 === 0 && { modelParams: { min: 0, max: 100 } }),
    },
  }));
}
