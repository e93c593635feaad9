import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineProcess, MetricJson } from '../test/support/engine-process.ts';
import { FIRST_SECOND, LEARNED_ROWS, ROW_SECONDS } from './fleet-rows.ts';
import { fleetShapes } from './fleet-shapes.ts';

/** Of their names, which come after those of all others. */
const IMPORTED = 'import.';
const LOOK_MS = 10_000;

/**
 * Sends a week of five-minute rows of so many new metrics over one connection, as fast as they are taken, to an engine
 * that monitors new metrics by itself, and waits until every row is scored. @returns the rows
 */
export async function importHistory(engine: EngineProcess, metrics: number): Promise<number> {
  if (metrics === 0) return 0;
  const socket = connect({ port: engine.graphitePort, host: '127.0.0.1' });
  await once(socket, 'connect');
  const shapes = fleetShapes();
  for (let i = 0; i < metrics; i++) {
    const shape = shapes[i % shapes.length];
    let lines = '';
    for (let row = 0; row < LEARNED_ROWS; row++) {
      const second = FIRST_SECOND + ROW_SECONDS * row;
      lines += `${IMPORTED}${i} ${shape?.value(row, 500_000 + i)} ${second}\n`;
    }
    if (!socket.write(lines)) await once(socket, 'drain');
  }
  socket.end();
  while ((await learned(engine)) < metrics) await sleep(LOOK_MS);
  return metrics * LEARNED_ROWS;
}

/** How many of the imported metrics have all their rows scored. */
async function learned(engine: EngineProcess): Promise<number> {
  let found = 0;
  for (let after: string | null = IMPORTED; after !== null;) {
    const page: MetricsPage = await engine.json(`/api/v1/metrics?after=${after}`);
    found += page.metrics.filter(({ scoredRows }) => scoredRows === LEARNED_ROWS).length;
    after = page.next;
  }
  return found;
}

interface MetricsPage {
  readonly metrics: readonly MetricJson[];
  readonly next: string | null;
}
