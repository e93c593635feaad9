import { LinkedSet } from './linked-set.ts';
import { MemoryBudget } from './memory-budget.ts';

export interface SlotLimits {
  readonly workers: number;
  /** Turns that may be under way on one worker: one computes while others read or commit. */
  readonly lanes: number;
  /** Over all workers. One model is allowed whatever its size. */
  readonly memoryBudgetBytes: number;
  /** What a model is taken to need before the first one has told its size. */
  readonly typicalModelBytes: number;
  /** Cold models in line at the most. */
  readonly maxWaiting: number;
}

/**
 * How a turn ended. `rest`: nothing is left to do. `more`: rows are left. `replaying`: rows are left and none of
 * those of this turn was new, so that all of it would be lost if the model left now.
 */
export type TurnEnd = 'rest' | 'more' | 'replaying';

/** `run`: begin a turn of the model on that worker. `evict`: save the model if that is worth it, and drop it. */
export interface Decision {
  readonly kind: 'run' | 'evict';
  readonly metricId: string;
  readonly worker: number;
}

/**
 * The scheduling policy: which model runs on which worker and when, and which warm model gives way. Pure state: it
 * is told what happened and asked what to do next; it does no I/O and has no clock.
 *
 * - Waiting models form one line without repeats. A model runs where it is warm, a cold one on the least loaded worker.
 * - A turn is a bounded slice. A model that has more to do goes behind all that wait, so nobody starves.
 * - Warm models stay until their memory is needed. Those with nothing to do give way first, least recently used
 *   first; then the last of those that wait, which would not run soon. One that replays stays until it has got
 *   somewhere new: else a model with a long replay might begin it again and again.
 * - A cold model starts when its memory is free. Of the models that stand in its way those that wait and came later
 *   give way, so that no model is kept out for ever by others that are always busy.
 */
export class Slots {
  readonly #limits: SlotLimits;
  readonly #workers: readonly Worker[];
  readonly #models = new Map<string, Model>();
  /** Cold models that wait. */
  readonly #cold = new LinkedSet<Model>();
  /** Warm models with nothing to do, least recently used first. */
  readonly #idle = new LinkedSet<Model>();
  readonly #memory: MemoryBudget;
  #tickets = 0;

  constructor(limits: SlotLimits) {
    this.#limits = limits;
    this.#memory = new MemoryBudget(limits.memoryBudgetBytes, limits.typicalModelBytes);
    this.#workers = Array.from({ length: limits.workers }, (_, index) => ({
      index,
      up: true,
      running: 0,
      models: 0,
      waiting: new LinkedSet<Model>(),
      replaying: new LinkedSet<Model>(),
    }));
  }

  /**
   * The model may have work. One that waits already keeps its place; one that is busy gets another turn.
   * @returns false if the line is full and the wake-up is lost.
   */
  wake(metricId: string): boolean {
    const known = this.#models.get(metricId);
    if (known === undefined && this.#cold.size >= this.#limits.maxWaiting) return false;
    const model = known ?? this.#add(metricId);
    if (model.phase === 'idle') this.#enqueue(model);
    else if (model.phase !== 'waiting') model.again = true;
    return true;
  }

  /** What is to be done now, in order. To be asked after every event. */
  decide(): Decision[] {
    const decisions: Decision[] = [];
    for (let next = this.#next(); next !== null; next = this.#next()) decisions.push(next);
    return decisions;
  }

  /**
   * A turn has ended.
   * @param bytes what the warm model holds now; null if it was dropped.
   */
  finished(metricId: string, bytes: number | null, end: TurnEnd): void {
    const model = this.#expect(metricId, 'running');
    this.#worker(model.runsOn).running--;
    model.runsOn = null;
    // A worker that went down meanwhile took the model with it.
    if (bytes === null || model.warmOn === null) {
      this.#occupy(model, null, 0);
    } else {
      this.#occupy(model, model.warmOn, Math.max(1, bytes));
      this.#memory.learn(bytes);
    }
    model.replaying = end === 'replaying' && model.warmOn !== null;
    if (end !== 'rest') model.again = true;
    this.#settle(model);
  }

  /** A model that had to leave has left: its memory is free. */
  evicted(metricId: string): void {
    const model = this.#expect(metricId, 'leaving');
    this.#memory.left(model.bytes);
    model.bytes = 0;
    this.#occupy(model, null, 0);
    this.#settle(model);
  }

  /**
   * Takes a model out of the line, so that no turn of it begins before `release`.
   * @returns false if it is running, leaving or claimed; that must end first.
   */
  claim(metricId: string): boolean {
    const model = this.#models.get(metricId) ?? this.#add(metricId);
    if (model.phase === 'waiting') {
      this.#dequeue(model);
      model.again = true;
    } else if (model.phase !== 'idle') {
      return false;
    }
    this.#idle.delete(model);
    model.phase = 'claimed';
    return true;
  }

  /** Gives a claimed model back. It was dropped and is cold now. */
  release(metricId: string): void {
    const model = this.#expect(metricId, 'claimed');
    this.#occupy(model, null, 0);
    this.#settle(model);
  }

  /** The worker is gone with all models it held. Turns and evictions that it was busy with still have to end. */
  workerDown(index: number): void {
    this.#worker(index).up = false;
    const lost = Array.from(this.#models.values()).filter((model) => model.warmOn === index);
    for (const model of lost) {
      if (model.phase === 'waiting') {
        this.#dequeue(model);
        model.again = true;
      }
      const resting = model.phase === 'waiting' || model.phase === 'idle';
      this.#occupy(model, null, resting ? 0 : model.bytes);
      if (resting) this.#settle(model);
    }
  }

  workerUp(index: number): void {
    this.#worker(index).up = true;
  }

  /** For gauges. */
  usage(): SlotUsage {
    const count = (number: (worker: Worker) => number) =>
      this.#workers.reduce((sum, worker) => sum + number(worker), 0);
    return {
      warmModels: count((worker) => worker.models),
      heldBytes: this.#memory.heldBytes,
      waitingModels: this.#cold.size + count((worker) => worker.waiting.size + worker.replaying.size),
    };
  }

  #next(): Decision | null {
    const trimmed = this.#trim();
    if (trimmed !== null) return trimmed;
    const free = this.#workers.filter((worker) => worker.up && worker.running < this.#limits.lanes);
    if (free.length === 0) return null;
    const warm = earliest(free.flatMap((worker) => [worker.waiting.first, worker.replaying.first]));
    const cold = this.#cold.first;
    if (cold !== null && (warm === null || cold.ticket < warm.ticket)) {
      if (this.#memory.hasRoom) return this.#start(cold, leastLoaded(free));
      const victim = this.#memory.willHaveRoom ? null : this.#victim(cold.ticket);
      if (victim !== null) return this.#evict(victim);
      // Its memory is about to be free. Those that need no more than they have may run meanwhile.
    }
    return warm === null ? null : this.#start(warm, this.#worker(warm.warmOn));
  }

  /** Models grow while they run: brings what is kept back within the budget, down to one model. */
  #trim(): Decision | null {
    const victim = this.#memory.exceeded ? this.#victim(0) : null;
    return victim === null || victim.bytes === this.#memory.keptBytes ? null : this.#evict(victim);
  }

  #start(model: Model, worker: Worker): Decision {
    this.#dequeue(model);
    model.phase = 'running';
    model.runsOn = worker.index;
    worker.running++;
    if (model.warmOn === null) this.#occupy(model, worker.index, this.#memory.reservedBytes);
    return { kind: 'run', metricId: model.metricId, worker: worker.index };
  }

  /** The model that will be missed least; of those that wait only one that came after `ticket`. */
  #victim(ticket: number): Model | null {
    if (this.#idle.first !== null) return this.#idle.first;
    const last = latest(this.#workers.map((worker) => worker.waiting.last));
    return last === null || last.ticket < ticket ? null : last;
  }

  #evict(model: Model): Decision {
    const worker = this.#worker(model.warmOn);
    if (model.phase === 'waiting') {
      this.#dequeue(model);
      model.again = true;
    }
    this.#idle.delete(model);
    model.phase = 'leaving';
    this.#memory.leave(model.bytes);
    return { kind: 'evict', metricId: model.metricId, worker: worker.index };
  }

  /** After a turn, an eviction or a claim: back to the end of the line, to rest, or out of sight. */
  #settle(model: Model): void {
    model.phase = 'idle';
    if (model.again) this.#enqueue(model);
    else if (model.warmOn !== null) this.#idle.add(model);
    else this.#forget(model);
  }

  #add(metricId: string): Model {
    const model: Model = {
      metricId,
      phase: 'idle',
      replaying: false,
      again: false,
      ticket: 0,
      warmOn: null,
      runsOn: null,
      bytes: 0,
    };
    this.#models.set(metricId, model);
    return model;
  }

  #forget(model: Model): void {
    this.#idle.delete(model);
    this.#models.delete(model.metricId);
  }

  #enqueue(model: Model): void {
    this.#idle.delete(model);
    model.phase = 'waiting';
    model.again = false;
    model.ticket = ++this.#tickets;
    this.#line(model).add(model);
  }

  #dequeue(model: Model): void {
    this.#line(model).delete(model);
  }

  #line(model: Model): LinkedSet<Model> {
    if (model.warmOn === null) return this.#cold;
    const worker = this.#worker(model.warmOn);
    return model.replaying ? worker.replaying : worker.waiting;
  }

  /** Accounts for where a model is warm from now on, and with how many bytes. */
  #occupy(model: Model, worker: number | null, bytes: number): void {
    if (model.warmOn !== null) this.#worker(model.warmOn).models--;
    if (worker !== null) this.#worker(worker).models++;
    this.#memory.hold(model.bytes, bytes);
    model.warmOn = worker;
    model.bytes = bytes;
    model.replaying = false;
  }

  #worker(index: number | null): Worker {
    const worker = index === null ? undefined : this.#workers[index];
    if (worker === undefined) throw new RangeError(`there is no worker ${String(index)}`);
    return worker;
  }

  #expect(metricId: string, phase: Phase): Model {
    const model = this.#models.get(metricId);
    if (model?.phase !== phase) {
      throw new Error(`model ${metricId} is ${model?.phase ?? 'unknown'}, not ${phase}`);
    }
    return model;
  }
}

export interface SlotUsage {
  /** Loaded, or being loaded. */
  readonly warmModels: number;
  readonly heldBytes: number;
  readonly waitingModels: number;
}

type Phase = 'idle' | 'waiting' | 'running' | 'leaving' | 'claimed';

interface Model {
  readonly metricId: string;
  phase: Phase;
  /** Since it was loaded it has only seen rows again that were processed before. */
  replaying: boolean;
  /** Woken while it was busy. */
  again: boolean;
  /** Its place in line: lower came earlier. */
  ticket: number;
  warmOn: number | null;
  runsOn: number | null;
  bytes: number;
}

interface Worker {
  readonly index: number;
  up: boolean;
  running: number;
  /** Warm models. */
  models: number;
  /** Models that are warm here and wait, and may leave. */
  readonly waiting: LinkedSet<Model>;
  /** Models that are warm here and wait, and must not leave yet. */
  readonly replaying: LinkedSet<Model>;
}

/** Few turns under way, then few warm models: spreads models evenly, since they stay where they are. */
function leastLoaded(workers: readonly Worker[]): Worker {
  return workers.reduce((best, worker) =>
    worker.running < best.running || (worker.running === best.running && worker.models < best.models)
      ? worker
      : best,
  );
}

function earliest(models: readonly (Model | null)[]): Model | null {
  return pick(models, (model, best) => model.ticket < best.ticket);
}

function latest(models: readonly (Model | null)[]): Model | null {
  return pick(models, (model, best) => model.ticket > best.ticket);
}

function pick(
  models: readonly (Model | null)[],
  better: (model: Model, best: Model) => boolean,
): Model | null {
  return models.reduce(
    (best, model) => (model !== null && (best === null || better(model, best)) ? model : best),
    null,
  );
}
