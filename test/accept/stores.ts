import {
  createDatabase,
  SERVER_KINDS,
  type ServerKind,
  type TestDatabase,
} from '../support/database-servers.ts';
import { Disturber } from '../support/disturber.ts';
import { OwnServer } from '../support/own-server.ts';
import { firstDifference, runPipeline, type RunOutcome } from '../support/pipeline-run.ts';
import { killTable } from './kills.ts';
import { allSeries } from './nab.ts';

const DISTURBED_EVERY_MS = 3_000;
const RESTART_AFTER_MS = 20_000;
const TIMEOUT_MS = 3_600_000;

/**
 * On a server of each kind, which is started for this: ten SIGKILLs of the engine; then connections cut, locks held by
 * another client and the server killed once. Rows and scores equal SQLite's bit for bit.
 */
export async function stores(): Promise<void> {
  const undisturbed = await onSqlite();
  for (const kind of SERVER_KINDS) {
    await withKills(kind, undisturbed);
    await disturbed(kind, undisturbed);
  }
}

/** What every other run must equal. */
export async function onSqlite(): Promise<RunOutcome['rows']> {
  process.stdout.write('SQLite, undisturbed\n');
  const { rows } = await runPipeline({
    series: allSeries(),
    monitor: 'afterLastRow',
    timeoutMs: TIMEOUT_MS,
  });
  return rows;
}

/** Ten kills of the engine. */
export function withKills(kind: ServerKind, expected: RunOutcome['rows']): Promise<void> {
  return onServer(kind, async (_server, { url }) => {
    process.stdout.write(`${kind}: ten kills of the engine\n`);
    const killed = await runPipeline({
      series: allSeries(),
      monitor: 'afterLastRow',
      kills: 10,
      seed: 13,
      settings: { store: { url } },
      timeoutMs: TIMEOUT_MS,
    });
    process.stdout.write(killTable(killed.kills));
    compare(kind, expected, killed);
  });
}

/** Connections cut, locks held, the server killed once. */
export function disturbed(kind: ServerKind, expected: RunOutcome['rows']): Promise<void> {
  return onServer(kind, async (server, database) => {
    process.stdout.write(`${kind}: connections cut, locks held, the server killed once\n`);
    const disturber = new Disturber(server, database);
    disturber.start(DISTURBED_EVERY_MS, RESTART_AFTER_MS);
    const found = await runPipeline({
      series: allSeries(),
      monitor: 'afterLastRow',
      settings: { store: { url: database.url } },
      timeoutMs: TIMEOUT_MS,
    }).finally(() => disturber.stop());
    const { connectionsCut, locksHeld, restarts } = disturber.done;
    process.stdout.write(
      `  ${connectionsCut} connections cut, ${locksHeld} locks held, ${restarts} restarts\n`,
    );
    compare(kind, expected, found);
    if (connectionsCut === 0 || locksHeld === 0 || restarts !== 1) throw new Error('it was not disturbed');
  });
}

async function onServer(
  kind: ServerKind,
  run: (server: OwnServer, database: TestDatabase) => Promise<void>,
): Promise<void> {
  const server = await OwnServer.create(kind);
  try {
    await server.start();
    await run(server, await createDatabase(kind, server.url));
  } finally {
    await server.remove();
  }
}

function compare(kind: ServerKind, expected: RunOutcome['rows'], found: RunOutcome): void {
  const difference = firstDifference(expected, found.rows);
  if (difference !== null) throw new Error(`${kind}: rows differ: ${difference}`);
  const rows = [...found.rows.values()].reduce((sum, each) => sum + each.length, 0);
  process.stdout.write(`  ${rows} rows: equal\n`);
}
