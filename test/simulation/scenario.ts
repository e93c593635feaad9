import { hasCode } from '../../src/errors.ts';
import type { ModelChange } from '../../src/model-command.ts';
import { Monitoring } from '../../src/monitoring/monitoring.ts';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { CONSUMER, MINIMUM_ROWS, WITHOUT_DELETING, withSmallModels } from './simulated-engine.ts';
import { METRICS, ROWS, sampleOf } from './series.ts';
import type { World } from './world.ts';

/** By then all faults have ended and everything is done; retries wait up to 30 s, sweeps a few. */
export const LIMIT_MS = 24 * 3_600_000;
const LONGEST_LEAP_MS = 3_600_000;

/** Samples come, models come and go, engines die; at last everything heals and is waited for. */
export async function play(world: World): Promise<void> {
  await world.startEngine();
  await Promise.all([
    ...METRICS.map((_, metric) => send(world, metric)),
    ...METRICS.map(({ metricId, name }) => monitorAndChange(world, metricId, name)),
    disturb(world),
  ]);
  world.faults.heal();
  if (world.engine?.alive !== true) await world.startEngine();
  while (world.faults.strays > 0 || !isSettled(world)) await world.clock.sleep(1_000);
  await world.engine?.stop();
}

/** Sends a metric's samples until each was accepted; sometimes again what was sent before. */
async function send(world: World, metric: number): Promise<void> {
  const { chaos } = world.faults;
  const name = METRICS[metric]?.name ?? '';
  for (let sent = 0; sent < ROWS;) {
    const size = Math.min(ROWS - sent, 1 + Math.floor(chaos.next() * 11));
    const first = chaos.chance(0.1) ? Math.max(0, sent - 3) : sent;
    const samples = Array.from({ length: sent + size - first }, (_, i) => ({
      name,
      ...sampleOf(metric, first + i),
    }));
    await world.ask((engine) => engine.bus.publishSamples(samples));
    sent += size;
    await world.clock.sleep(chaos.next() * 3_000);
  }
}

/** Monitors a metric before, while or after its rows come, and perhaps anew later. */
async function monitorAndChange(world: World, metricId: string, name: string): Promise<void> {
  const { chaos } = world.faults;
  await world.clock.sleep(chaos.next() * chaos.pick([0, 8_000, 20_000]));
  await monitor(world, name, 1);
  if (chaos.chance(0.4)) await giveCommands(world, metricId);
  for (let change = 0; chaos.chance(0.6) && change < 4; change++) {
    await world.clock.sleep(chaos.next() * chaos.pick([100, 1_000, 8_000]));
    if (chaos.chance(0.4)) {
      await oneOf(world, (monitoring) => monitoring.models.restart(metricId, 'relearn'));
      continue;
    }
    await oneOf(world, (monitoring) => monitoring.unmonitorMetric(metricId));
    await world.clock.sleep(chaos.next() * chaos.pick([0, 0, 3_000]));
    await monitor(world, name, 2 + change);
  }
}

/** Each takes effect after what is processed when it comes, or at a row to come. */
async function giveCommands(world: World, metricId: string): Promise<void> {
  const { chaos } = world.faults;
  for (let left = 1 + Math.floor(chaos.next() * 4); left > 0; left--) {
    await world.clock.sleep(chaos.next() * chaos.pick([100, 1_000, 6_000]));
    const change = chaos.pick<ModelChange>([
      { what: 'learning', on: chaos.chance(0.5) },
      { what: 'reset' },
      { what: 'skip' },
    ]);
    const afterRowid = Math.floor(chaos.next() * chaos.pick([1, ROWS]));
    await oneOf(world, async (monitoring) => {
      try {
        await monitoring.models.change(metricId, change, afterRowid);
      } catch (error) {
        // It waits for the rows its range comes from.
        if (!hasCode(error, 'metric_not_monitored')) throw error;
      }
    });
  }
}

/** Ranges differ, so that another generation's scores are others. */
async function monitor(world: World, metric: string, round: number): Promise<void> {
  const hasRange = world.faults.chaos.chance(0.75);
  const modelParams = hasRange ? { modelParams: { min: 0, max: 60 + 40 * round } } : {};
  await oneOf(world, (monitoring) => monitoring.monitorMetric({ metricSpec: { metric }, ...modelParams }));
}

/** By the engine that runs the models, or by another process that only has the interface. */
async function oneOf(world: World, operation: (monitoring: Monitoring) => Promise<unknown>): Promise<void> {
  const isOther = world.faults.chaos.chance(0.4);
  await world.ask(async (engine) => {
    try {
      await operation(isOther ? interfaceOnly(world) : engine.monitoring);
    } catch (error) {
      // An earlier attempt did it.
      if (!hasCode(error, 'metric_already_monitored')) throw error;
    }
  });
}

/** A process without a scheduler: it cannot stop a turn that is under way elsewhere. */
function interfaceOnly(world: World): Monitoring {
  const log = pino({ level: 'silent' });
  return new Monitoring({
    catalogue: withSmallModels(world.database.catalogue),
    bus: { wake: () => undefined },
    telemetry: { log, registry: new Registry() },
    forgetModel: (metricId) => world.checkpoints.deleteAll(metricId),
    models: { minimumRows: MINIMUM_ROWS, variant: 'tm_cpp', ceiling: null },
    ...WITHOUT_DELETING,
    sweepMs: 1_000,
    clock: world.clock,
  });
}

/** What happens to whole engines, and to time. */
async function disturb(world: World): Promise<void> {
  const { chaos } = world.faults;
  for (let left = Math.floor(chaos.next() * 5); left > 0; left--) {
    await world.clock.sleep(chaos.next() * 6_000);
    const before = world.engine;
    switch (chaos.pick(['kill', 'kill', 'restart', 'takeOver', 'takeOver', 'leap'] as const)) {
      case 'kill':
        before?.kill();
        await world.clock.sleep(chaos.next() * 4_000);
        await world.startEngine();
        break;
      case 'restart':
        await before?.stop();
        await world.startEngine();
        break;
      case 'takeOver':
        // The first was declared dead and is not: it goes on beside the second for a while.
        await world.startEngine();
        await world.clock.sleep(chaos.next() * 8_000);
        before?.kill();
        break;
      case 'leap':
        world.clock.leap(chaos.next() * LONGEST_LEAP_MS);
    }
  }
}

/** Whether every stage has finished all there is. */
function isSettled({ database: { connection } }: World): boolean {
  const left = connection
    .prepare(
      `select
        (select count(*) from result_clearing) +
        (select count(*) from generation join metric using (uid)
          where state = 'pending' and last_rowid >= minimum_rows) +
        (select count(*) from scheduler_watermark join metric using (uid)
          where processed_rowid < last_rowid or status = 2) +
        (select count(*) from scheduler_watermark join anomaly_watermark using (uid)
          where scored_rowid < processed_rowid) +
        (select count(*) from anomaly_watermark left join cursor
          on cursor.uid = anomaly_watermark.uid and consumer = '${CONSUMER}'
          where coalesce(cursor.rowid, 0) < scored_rowid)`,
    )
    .pluck()
    .get();
  return left === 0;
}
