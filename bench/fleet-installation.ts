import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Engine } from '../src/engine.ts';
import { algorithmRevision } from '../src/htm/index.ts';
import { copyPrototypes, medianCheckpointBytes } from './fleet-copies.ts';
import { FIRST_SECOND, LEARNED_ROWS, ROW_SECONDS } from './fleet-rows.ts';
import { fleetShapes, type Shape } from './fleet-shapes.ts';

/** A data directory with many metrics whose models have learned. */
export interface FleetInstallation {
  readonly directory: string;
  readonly metrics: readonly FleetMetric[];
  /** Of the models' checkpoints. */
  readonly medianCheckpointBytes: number;
}

export interface FleetMetric {
  readonly name: string;
  readonly shape: Shape;
  /** Of its own noise. */
  readonly seed: number;
}

/** To be raised when what is made here changes: old installations are made anew. */
const VERSION = 2;

/**
 * The installation with `models` metrics below `parent`. Made if it is not there: 32 prototypes learn, the others are
 * copies of their rows and checkpoints. It is used as it is afterwards, so it goes on where the last run left it.
 */
export async function fleetInstallation(
  parent: string,
  models: number,
  tell: (what: string) => void,
): Promise<FleetInstallation> {
  const key = `v${VERSION}-r${algorithmRevision}-${LEARNED_ROWS}`;
  const prototypes = join(parent, `htmengine-fleet-${key}-prototypes`);
  const directory = join(parent, `htmengine-fleet-${key}-${models}`);
  await make(prototypes, async () => {
    tell('training the prototypes');
    await train(prototypes);
  });
  await make(directory, async () => {
    tell(`copying them to ${models} metrics`);
    await copyPrototypes(prototypes, directory, fleet(models));
  });
  return { directory, metrics: fleet(models), medianCheckpointBytes: medianCheckpointBytes(directory) };
}

function fleet(models: number): FleetMetric[] {
  const shapes = fleetShapes();
  return Array.from({ length: models }, (_, i) => {
    const shape = shapes[i % shapes.length];
    if (shape === undefined) throw new Error('there are no shapes');
    return { name: `fleet.${shape.name}.${String(i).padStart(5, '0')}`, shape, seed: 1000 + i };
  });
}

/** Does `work` unless it was done to the end before. */
async function make(directory: string, work: () => Promise<void>): Promise<void> {
  const done = join(directory, 'complete');
  if (existsSync(done)) return;
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  await work();
  writeFileSync(done, '');
}

async function train(directory: string): Promise<void> {
  const engine = new Engine({
    dataDirectory: directory,
    api: { enabled: false },
    listener: { graphite: { enabled: false } },
    log: { level: 'warn' },
  });
  await engine.start();
  try {
    const shapes = fleetShapes();
    let scored = 0;
    let tellAll: () => void = () => undefined;
    const allScored = new Promise<void>((resolve) => (tellAll = resolve));
    await engine.subscribe((results) => {
      scored += results.length;
      if (scored === shapes.length * LEARNED_ROWS) tellAll();
      return Promise.resolve();
    });
    for (const { name, min, max } of shapes) {
      await engine.monitorMetric({ metricSpec: { metric: name }, modelParams: { min, max } });
    }
    for (const shape of shapes) await engine.push(history(shape));
    await allScored;
  } finally {
    await engine.stop();
  }
}

function history(shape: Shape) {
  return Array.from({ length: LEARNED_ROWS }, (_, row) => ({
    name: shape.name,
    value: shape.value(row, 1),
    timestamp: FIRST_SECOND + ROW_SECONDS * row,
  }));
}
