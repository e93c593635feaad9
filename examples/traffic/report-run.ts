import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Engine } from 'htmengine';
import { judge, type Tally, together } from './report.ts';
import { type Route, ROUTES } from './routes.ts';
import { RULES } from './rules.ts';
import { SPEED_RANGE, STEP_SECONDS, TrafficSimulation } from './simulation.ts';

const DAY_SECONDS = 86_400;
const STEPS_PER_DAY = DAY_SECONDS / STEP_SECONDS;
const POLL_MS = 50;
/** Rows that are read at a time at most. */
const MAX_ROWS = 100_000;

export interface ReportSize {
  readonly routes: readonly Route[];
  readonly learningDays: number;
  readonly judgedDays: number;
}

export const FULL_SIZE: ReportSize = {
  routes: ROUTES,
  learningDays: RULES.learningWeeks * 7,
  judgedDays: RULES.judgedWeeks * 7,
};

/** Gives the traffic of a seed to an engine with an empty directory, and judges what it says. */
export async function runSeed(
  seed: number,
  { routes, learningDays, judgedDays }: ReportSize = FULL_SIZE,
): Promise<Tally> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'traffic-report-'));
  const engine = new Engine({
    dataDirectory,
    api: { enabled: false },
    listener: { graphite: { enabled: false } },
    log: { level: 'error' },
  });
  try {
    await engine.start();
    const simulation = new TrafficSimulation(seed);
    const days = learningDays + judgedDays;
    for (const { id } of routes)
      await engine.monitorMetric({ metricSpec: { metric: id }, modelParams: SPEED_RANGE });
    for (let day = 0; day < days; day++) await pushDay(engine, simulation, routes, day);
    await allScored(engine, routes.length, days * STEPS_PER_DAY);
    const from = RULES.begin + learningDays * DAY_SECONDS;
    const to = RULES.begin + days * DAY_SECONDS;
    const tallies: Tally[] = [];
    for (const route of routes) {
      const rows = await scoredRows(engine, route, from);
      tallies.push(judge({ rows, disturbances: simulation.disturbances(route, from, to) }, judgedDays));
    }
    return together(tallies);
  } finally {
    await engine.stop();
    await rm(dataDirectory, { recursive: true, force: true });
  }
}

async function pushDay(
  engine: Engine,
  simulation: TrafficSimulation,
  routes: readonly Route[],
  day: number,
): Promise<void> {
  const begin = RULES.begin + day * DAY_SECONDS;
  const samples = routes.flatMap((route) =>
    Array.from({ length: STEPS_PER_DAY }, (_, step) => {
      const { timestamp, speed } = simulation.reading(route, begin + step * STEP_SECONDS);
      return { name: route.id, value: speed, timestamp };
    }),
  );
  const outcomes = await engine.push(samples);
  const refused = outcomes.find((outcome) => !outcome.accepted);
  if (refused?.accepted === false) throw new Error(`a simulated sample was refused: ${refused.reason}`);
}

async function allScored(engine: Engine, metrics: number, rows: number): Promise<void> {
  for (;;) {
    const found = await engine.listMetrics();
    const failed = found.find(({ message }) => message !== null);
    if (failed !== undefined) throw new Error(`${failed.name}: ${failed.message ?? ''}`);
    if (found.length === metrics && found.every(({ scoredRows }) => scoredRows >= rows)) return;
    await delay(POLL_MS);
  }
}

async function scoredRows(engine: Engine, { id }: Route, from: number) {
  const metric = await engine.findMetric(id);
  if (metric === null) throw new Error(`metric ${id} is gone`);
  const rows = await engine.readData(metric.metricId, { fromTimestamp: from, limit: MAX_ROWS });
  return rows.map(({ timestamp, anomalyScore }) => ({ timestamp, anomalyScore: anomalyScore ?? 0 }));
}
