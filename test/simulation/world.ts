import type { CheckpointStore } from '../../src/checkpoints/checkpoint-store.ts';
import type { Log } from '../../src/store/log.ts';
import { MemoryCheckpoints } from '../conformance/fakes/memory-checkpoints.ts';
import { Audit } from './audit.ts';
import { openSimulatedDatabase, type SimulatedDatabase } from './database.ts';
import { Faults } from './faults.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { SimulatedEngine } from './simulated-engine.ts';

/** What lasts from the first engine of a simulation to the last, and which engine is the present one. */
export class World {
  readonly clock: SimulatedClock;
  readonly audit = new Audit();
  readonly faults: Faults;
  readonly database: SimulatedDatabase;
  readonly checkpoints: CheckpointStore;
  #engine: SimulatedEngine | undefined;

  private constructor(clock: SimulatedClock, faults: Faults, database: SimulatedDatabase) {
    this.clock = clock;
    this.faults = faults;
    this.database = database;
    this.checkpoints = faults.chaos.chance(0.5) ? database.checkpoints : new MemoryCheckpoints();
  }

  /** @param alter puts another log in place of the database's, to see whether that is noticed. */
  static async create(seed: number, alter: (database: SimulatedDatabase) => Log): Promise<World> {
    const clock = new SimulatedClock();
    const database = await openSimulatedDatabase(() => clock.now());
    return new World(clock, new Faults(seed), { ...database, log: alter(database) });
  }

  get engine(): SimulatedEngine | undefined {
    return this.#engine;
  }

  /** Starts another engine; the one before it, if there is one, has lost its leases. Tries until it works. */
  async startEngine(): Promise<void> {
    const before = this.#engine;
    for (;;) {
      const engine = new SimulatedEngine(this);
      try {
        await engine.start(() => {
          if (before !== undefined) before.fenced = true;
        });
        this.#engine = engine;
        return;
      } catch (error) {
        engine.kill();
        this.audit.note(String(error));
        await this.clock.sleep(100);
      }
    }
  }

  /** Nothing of it goes on. */
  end(): void {
    this.#engine?.kill();
  }

  /** Asks the present engine, and again whoever is it then, until there is an answer. */
  async ask<T>(question: (engine: SimulatedEngine) => Promise<T>): Promise<T> {
    for (;;) {
      const engine = this.#engine;
      try {
        if (engine?.alive === true) return await Promise.race([question(engine), engine.died]);
      } catch (error) {
        this.audit.note(String(error));
      }
      await this.clock.sleep(300);
    }
  }
}
