import { describe, expect, it } from 'vitest';
import { VARIATIONS } from '../accept/equality.ts';
import { killTable } from '../accept/kills.ts';
import { refusalTable } from '../accept/nab.ts';
import { createDatabase, missingServer, SERVER_KINDS } from '../support/database-servers.ts';
import { nabDirectory, readNabFile, type Series } from '../support/nab.ts';
import { firstDifference, runPipeline, type RunOutcome } from '../support/pipeline-run.ts';
import { dailySeries } from '../support/series.ts';

/** The small form of the acceptance runs: three series, three kills, the built program in processes of its own. */
const nab = nabDirectory();
const FILES = [
  'realAWSCloudwatch/iio_us-east-1_i-a2eb1cd9_NetworkIn.csv',
  'realAdExchange/exchange-3_cpc_results.csv',
  'realTraffic/speed_7578.csv',
];
if (nab === null)
  process.stdout.write('The benchmark is not beside the checkout: made series are used instead.\n');
const SERIES: Series[] =
  nab === null
    ? [dailySeries('made/a', 1243, 1), dailySeries('made/b', 1538, 2), dailySeries('made/c', 1127, 3)]
    : FILES.map((file) => readNabFile(nab, file));

const TIMEOUT_MS = 180_000;

describe('three series, over TCP', () => {
  let undisturbed: RunOutcome;

  it('are all stored and scored, but for their own duplicates', { timeout: TIMEOUT_MS }, async () => {
    undisturbed = await runPipeline({
      series: SERIES,
      monitor: 'afterLastRow',
      settings: { scheduler: { workers: 1 } },
    });
    expect(refusalTable(SERIES, undisturbed)).toContain(SERIES[0]?.name);
    const sent = SERIES.reduce((sum, { timestamps }) => sum + timestamps.length, 0);
    const stored = [...undisturbed.rows.values()].reduce((sum, rows) => sum + rows.length, 0);
    expect(undisturbed.refused).toBe(sent - stored);
    // Until the first fit, after 388 rows, the anomaly score is 0.5; after it, it tells rows apart.
    for (const rows of undisturbed.rows.values()) {
      expect(new Set(rows.slice(0, 388).map(({ anomalyScore }) => anomalyScore))).toEqual(new Set([0.5]));
      expect(new Set(rows.slice(388).map(({ anomalyScore }) => anomalyScore)).size).toBeGreaterThan(10);
    }
  });

  for (const monitor of ['afterLastRow', 'beforeFirstRow'] as const) {
    it(
      `killed three times, monitored ${monitor}: the same scores bit for bit`,
      { timeout: TIMEOUT_MS },
      async () => {
        // A range from the first 288 rows gives other scores than one from all: each has its own undisturbed run.
        const whole =
          monitor === 'afterLastRow' ? undisturbed : await runPipeline({ series: SERIES, monitor });
        const killed = await runPipeline({ series: SERIES, monitor, kills: 3, seed: 11 });
        process.stdout.write(killTable(killed.kills));
        expect(firstDifference(whole.rows, killed.rows)).toBeNull();
        expect(killed.kills.every(({ pending }) => pending > 0)).toBe(true);
        expect(killed.kills.reduce((sum, { replayed }) => sum + replayed, 0)).toBeGreaterThan(0);
      },
    );
  }

  for (const kind of SERVER_KINDS) {
    it(
      `on ${kind}, killed three times: the same scores bit for bit`,
      { timeout: TIMEOUT_MS },
      async (context) => {
        const missing = await missingServer(kind);
        if (missing !== null) return context.skip(missing);
        const database = await createDatabase(kind);
        const settings = { store: { url: database.url } };
        const killed = await runPipeline({
          series: SERIES,
          monitor: 'afterLastRow',
          kills: 3,
          seed: 5,
          settings,
        });
        process.stdout.write(killTable(killed.kills));
        expect(firstDifference(undisturbed.rows, killed.rows)).toBeNull();
        await database.drop();
      },
    );
  }

  for (const { title, options } of VARIATIONS) {
    it(`${title}: the same scores bit for bit`, { timeout: TIMEOUT_MS }, async () => {
      const varied = await runPipeline({ series: SERIES, monitor: 'afterLastRow', ...options });
      expect(firstDifference(undisturbed.rows, varied.rows)).toBeNull();
    });
  }
});
