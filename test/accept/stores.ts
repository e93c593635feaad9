import { createDatabase, missingServer, SERVER_KINDS, type ServerKind } from '../support/database-servers.ts';
import { Disturber } from '../support/disturber.ts';
import { firstDifference, runPipeline, type RunOutcome } from '../support/pipeline-run.ts';
import { killTable } from './kills.ts';
import { allSeries } from './nab.ts';

const DISTURBED_EVERY_MS = 3_000;
const RESTART_AFTER_MS = 20_000;
const TIMEOUT_MS = 3_600_000;

/**
 * On every database server: ten SIGKILLs of the engine; then connections cut, locks held by another client and the server
 * killed once. Rows and scores equal SQLite's bit for bit.
 */
export async function stores(): Promise<void> {
  const series = allSeries();
  process.stdout.write('SQLite, undisturbed\n');
  const undisturbed = await runPipeline({ series, monitor: 'afterLastRow', timeoutMs: TIMEOUT_MS });
  for (const kind of SERVER_KINDS) {
    const missing = await missingServer(kind);
    if (missing !== null) throw new Error(missing);
    await onServer(kind, async (url) => {
      process.stdout.write(`${kind}: ten kills of the engine\n`);
      const killed = await runPipeline({
        series,
        monitor: 'afterLastRow',
        kills: 10,
        seed: 13,
        settings: { store: { url } },
        timeoutMs: TIMEOUT_MS,
      });
      process.stdout.write(killTable(killed.kills));
      compare(kind, undisturbed, killed);
    });
    await onServer(kind, async (url, disturber) => {
      process.stdout.write(`${kind}: connections cut, locks held, the server killed once\n`);
      disturber.start(DISTURBED_EVERY_MS, RESTART_AFTER_MS);
      const disturbed = await runPipeline({
        series,
        monitor: 'afterLastRow',
        settings: { store: { url } },
        timeoutMs: TIMEOUT_MS,
      }).finally(() => disturber.stop());
      const { connectionsCut, locksHeld, restarts } = disturber.done;
      process.stdout.write(
        `  ${connectionsCut} connections cut, ${locksHeld} locks held, ${restarts} restarts\n`,
      );
      compare(kind, undisturbed, disturbed);
      if (connectionsCut === 0 || locksHeld === 0 || restarts !== 1) throw new Error('it was not disturbed');
    });
  }
}

async function onServer(
  kind: ServerKind,
  run: (url: string, disturber: Disturber) => Promise<void>,
): Promise<void> {
  const database = await createDatabase(kind);
  try {
    await run(database.url, new Disturber(kind, database));
  } finally {
    await database.drop();
  }
}

function compare(kind: ServerKind, expected: RunOutcome, found: RunOutcome): void {
  const difference = firstDifference(expected.rows, found.rows);
  if (difference !== null) throw new Error(`${kind}: rows differ: ${difference}`);
  process.stdout.write(
    `  ${[...found.rows.values()].reduce((sum, rows) => sum + rows.length, 0)} rows: equal\n`,
  );
}
