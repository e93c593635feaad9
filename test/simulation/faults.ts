import type { Bus, WakeTopic } from '../../src/bus/bus.ts';
import { HtmEngineError } from '../../src/errors.ts';
import type { Catalogue } from '../../src/store/catalogue.ts';
import type { CheckpointStore } from '../../src/checkpoints/checkpoint-store.ts';
import type { CursorMove, Fold, FoldOutcome, Log } from '../../src/store/log.ts';
import { Chaos } from '../conformance/fakes/chaos.ts';
import type { Audit } from './audit.ts';
import { nextTurn, type SimulatedClock } from './simulated-clock.ts';

/** How often what goes wrong: probabilities per call. */
export interface FaultRates {
  /** A call of the store fails, before or after its effect. */
  readonly store: number;
  /** A call of the store takes long. */
  readonly slow: number;
  /** A write is given up by its caller and takes effect all the same, later. */
  readonly stray: number;
  readonly checkpoint: number;
  readonly worker: number;
  readonly wakeUp: number;
  readonly consumer: number;
}

const NO_FAULTS: FaultRates = {
  store: 0,
  slow: 0,
  stray: 0,
  checkpoint: 0,
  worker: 0,
  wakeUp: 0,
  consumer: 0,
};

/** Begins the message of every error that is not the engine's own. */
export const INJECTED = 'injected:';

/** What goes wrong in one simulation: drawn from its seed, until it is healed. */
export class Faults {
  readonly chaos: Chaos;
  rates: FaultRates;
  /** Writes that are still on their way though nobody waits for them. */
  strays = 0;

  constructor(seed: number) {
    this.chaos = new Chaos(Math.imul(seed, 0x9e3779b1) | 0);
    const rate = (...of: [number, ...number[]]) => this.chaos.pick(of);
    this.rates = {
      store: rate(0, 0.01, 0.05),
      slow: rate(0, 0.05, 0.2),
      stray: rate(0, 0.02, 0.05),
      checkpoint: rate(0, 0.05, 0.3),
      worker: rate(0, 0.005, 0.03),
      wakeUp: rate(0, 0.1, 0.6),
      consumer: rate(0, 0.02, 0.1),
    };
  }

  heal(): void {
    this.rates = NO_FAULTS;
  }
}

/** What an engine's process is to its surroundings. */
export interface Life {
  /** Killed when false: it makes no call any more and gets no answer. */
  alive: boolean;
  /** Another engine has taken its leases. */
  fenced: boolean;
}

const FOLDS: Readonly<Partial<Record<string, 'T1' | 'T2' | 'T3'>>> = {
  recordRawScores: 'T1',
  recordAnomalyScores: 'T2',
  advanceCursor: 'T3',
};
/** Transactions whose caller must cope with not knowing their outcome. */
const OPEN_ENDED = new Set(['appendSamples', 'failModel', ...Object.keys(FOLDS)]);
const LONGEST_DELAYS_MS = [100, 1_000, 4_000] as const;

/** The seams as one engine sees them. */
export class FaultySeams {
  readonly #life: Life;
  readonly #faults: Faults;
  readonly #clock: SimulatedClock;
  readonly #audit: Audit;

  constructor(life: Life, faults: Faults, clock: SimulatedClock, audit: Audit) {
    this.#life = life;
    this.#faults = faults;
    this.#clock = clock;
    this.#audit = audit;
  }

  log(log: Log): Log {
    return this.#wrap(log, (name, args, effect) => this.#storeCall(name, args, effect));
  }

  catalogue(catalogue: Catalogue): Catalogue {
    return this.#wrap(catalogue, (name, args, effect) => this.#storeCall(name, args, effect));
  }

  checkpoints(store: CheckpointStore): CheckpointStore {
    return this.#wrap(store, (name, _args, effect) => this.#checkpointCall(name, effect));
  }

  /** Wake-ups are lost, repeated, late and in another order. */
  bus(bus: Bus): Bus {
    const { chaos } = this.#faults;
    const wake = (topic: WakeTopic, metricIds: readonly string[]) => {
      const isFaulty = chaos.chance(this.#faults.rates.wakeUp);
      switch (isFaulty ? chaos.pick(['lost', 'repeated', 'late', 'reordered'] as const) : 'right') {
        case 'lost':
          return;
        case 'repeated':
          bus.wake(topic, [...metricIds, ...metricIds]);
          void nextTurn().then(() => bus.wake(topic, metricIds));
          return;
        case 'late':
          void this.#delay().then(() => bus.wake(topic, metricIds));
          return;
        case 'reordered':
          bus.wake(topic, metricIds.toReversed());
          return;
        case 'right':
          bus.wake(topic, metricIds);
      }
    };
    return {
      publishSamples: (samples) => bus.publishSamples(samples),
      consumeSamples: (handler) => bus.consumeSamples(handler),
      wake,
      onWake: (topic, handler) => bus.onWake(topic, handler),
      close: () => bus.close(),
    };
  }

  async #storeCall(name: string, args: readonly unknown[], effect: Effect): Promise<unknown> {
    const { chaos, rates } = this.#faults;
    if (chaos.chance(rates.slow)) await this.#delay();
    await this.#unlessDead();
    const isOpenEnded = OPEN_ENDED.has(name);
    if (chaos.chance(rates.store)) {
      if (isOpenEnded && chaos.chance(0.5)) throw new Error(`${INJECTED} ${name} lost before its effect`);
      throw unavailable(name);
    }
    if (isOpenEnded && name !== 'failModel' && chaos.chance(rates.stray)) {
      void this.#stray(name, args, effect);
      throw new Error(`${INJECTED} ${name} is still on its way`);
    }
    const result = await this.#audited(name, args, effect);
    await this.#unlessDead();
    if (isOpenEnded && chaos.chance(rates.store)) {
      throw new Error(`${INJECTED} ${name} lost after its effect`);
    }
    if (chaos.chance(rates.slow)) await this.#delay();
    await this.#unlessDead();
    return result;
  }

  async #stray(name: string, args: readonly unknown[], effect: Effect): Promise<void> {
    this.#faults.strays++;
    await this.#delay();
    await this.#audited(name, args, effect).catch((error: unknown) => this.#audit.failed(name, error));
    this.#faults.strays--;
  }

  async #audited(name: string, args: readonly unknown[], effect: Effect): Promise<unknown> {
    // Calls take effect in the order in which they are made from here on.
    const { fenced } = this.#life;
    const result = await effect();
    const stage = FOLDS[name];
    if (stage !== undefined && (result as FoldOutcome).refused === null) {
      this.#audit.accepted(stage, args[0] as Fold | CursorMove, fenced);
    }
    return result;
  }

  async #checkpointCall(name: string, effect: Effect): Promise<unknown> {
    const { chaos, rates } = this.#faults;
    await this.#unlessDead();
    if (chaos.chance(rates.checkpoint)) throw unavailable(name);
    const result = await effect();
    await this.#unlessDead();
    if (chaos.chance(rates.checkpoint)) throw unavailable(name);
    if (result instanceof Uint8Array && chaos.chance(rates.checkpoint)) {
      const at = Math.floor(chaos.next() * result.byteLength);
      result[at] = (result[at] ?? 0) ^ 0x10;
    }
    return result;
  }

  #delay(): Promise<void> {
    const { chaos } = this.#faults;
    return this.#clock.sleep(chaos.next() * chaos.pick(LONGEST_DELAYS_MS));
  }

  /** A killed process does not go on. */
  async #unlessDead(): Promise<void> {
    if (!this.#life.alive) await never();
  }

  #wrap<T extends object>(
    target: T,
    call: (name: string, args: readonly unknown[], effect: Effect) => unknown,
  ): T {
    return new Proxy(target, {
      get:
        (_target, name) =>
        (...args: readonly unknown[]) => {
          const method = Reflect.get(target, name) as (...given: readonly unknown[]) => Promise<unknown>;
          return call(String(name), args, () => method.apply(target, [...args]));
        },
    });
  }
}

type Effect = () => Promise<unknown>;

export function never(): Promise<never> {
  return new Promise(() => undefined);
}

function unavailable(name: string): HtmEngineError {
  return new HtmEngineError('store_unavailable', `${INJECTED} ${name} is away for a moment`);
}
