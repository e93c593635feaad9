import type { Log } from '../../src/store/log.ts';
import type { SimulatedDatabase } from './database.ts';
import { LIMIT_MS, play } from './scenario.ts';
import { verify } from './verify.ts';
import { World } from './world.ts';

export interface Outcome {
  /** What was not as it must be; empty if all was. */
  readonly violations: readonly string[];
  /** Of everything that happened: the same for the same seed. */
  readonly fingerprint: number;
}

/** Plays the scenario of one seed and looks what came of it. */
export async function simulate(
  seed: number,
  alter: (database: SimulatedDatabase) => Log = ({ log }) => log,
): Promise<Outcome> {
  const world = await World.create(seed, alter);
  const { audit } = world;
  try {
    await world.clock.run(play(world), LIMIT_MS);
    verify(world);
  } catch (error) {
    audit.violation(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    world.end();
  }
  return { violations: audit.violations, fingerprint: audit.fingerprint };
}
