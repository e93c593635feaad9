import { Gathering } from './gathering.ts';
import { LinkedSet } from './linked-set.ts';
import { MemoryBudget } from './memory-budget.ts';
import {
  earliest,
  latest,
  leastLoaded,
  leastMissed,
  newLines,
  newModel,
  type Phase,
  type SlotModel,
  type SlotWorker,
  type Urgency,
  waiting,
} from './slot-models.ts';
import type { Decision, SlotLimits, SlotUsage, TurnEnd } from './slot-terms.ts';

/** So many turns of fresh models begin before one of a backlog, while both wait. */
const FRESH_TURNS = 8;
/** So many turns a model with a backlog has in a row before the next one: else each slice might cost a swap. */
const BACKLOG_TURNS = 10;

/**
 * The scheduling policy: which model runs on which worker and when, and which warm model gives way. Pure state: it
 * is told what happened and asked what to do next; it does no I/O and has no clock.
 *
 * - A model waits once, however often it is woken. It runs where it is warm, a cold one on the least loaded worker.
 * - A turn is a bounded slice. A model that was woken has its turn before those that have more rows than a slice, so
 *   that a new sample does not wait behind an import; of these one has its turn after every few, so nobody starves.
 * - Warm models stay until their memory is needed. Those with nothing to do give way first, the one that will be missed
 *   least; then the last of those that wait, which would not run soon. One that replays stays until it has got
 *   somewhere new: else a model with a long replay might begin it again and again.
 * - A cold model starts when its memory is free. Of the models that stand in its way those that wait and came later, or
 *   have a backlog, give way, so that no model is kept out for ever by others that are always busy.
 * - While memory is short and much time goes into swapping, a cold model waits a little for more of its rows (`Gathering`).
 */
export class Slots {
  readonly #limits: SlotLimits;
  readonly #workers: readonly SlotWorker[];
  readonly #models = new Map<string, SlotModel>();
  /** Cold models that wait. */
  readonly #cold = newLines();
  /** Warm models with nothing to do, in the order of use. */
  readonly #idle = new LinkedSet<SlotModel>();
  readonly #memory: MemoryBudget;
  readonly #gathering: Gathering;
  /** Turns of models that had to be loaded for a few rows. */
  #swappingIn = 0;
  #tickets = 0;
  /** Fresh turns that began since the last one of a backlog. */
  #freshTurns = 0;

  constructor(limits: SlotLimits) {
    this.#limits = limits;
    this.#memory = new MemoryBudget(limits.memoryBudgetBytes, limits.typicalModelBytes);
    this.#gathering = new Gathering(limits.maxGatherMs);
    this.#workers = Array.from({ length: limits.workers }, (_, index) => ({
      index,
      up: true,
      running: 0,
      models: 0,
      lines: newLines(),
    }));
  }

  /**
   * The model may have work. One that waits already keeps its place; one that is busy gets another turn.
   * @param nowMs by the clock of `finished`
   * @param apartMs how far its rows are apart; null if nobody knows.
   * @returns false if the line is full and the wake-up is lost.
   */
  wake(metricId: string, nowMs = 0, apartMs: number | null = null): boolean {
    const known = this.#models.get(metricId);
    if (known === undefined && this.#waitingCold >= this.#limits.maxWaiting) return false;
    const model = known ?? this.#add(metricId);
    if (model.phase === 'gathering') {
      if (!this.#gathering.isWorthMore(model, nowMs, apartMs)) this.#gathered(model);
    } else if (model.phase === 'idle') {
      if (known !== undefined || !this.#gather(model, nowMs, apartMs)) this.#enqueue(model);
    } else if (model.phase !== 'waiting') {
      model.again = true;
    }
    return true;
  }

  /** When to ask again though nothing has happened; null if that is not needed. */
  get dueMs(): number | null {
    return this.#gathering.first?.dueMs ?? null;
  }

  /** What is to be done now, in order. To be asked after every event, and at `dueMs`. @param nowMs by the clock of `finished` */
  decide(nowMs = 0): Decision[] {
    for (const model of this.#gathering.due(nowMs)) this.#gathered(model);
    const decisions: Decision[] = [];
    for (let next = this.#next(nowMs); next !== null; next = this.#next(nowMs)) decisions.push(next);
    this.#gathering.swappingIn = this.#swappingIn / (this.#limits.lanes * this.#workers.length);
    return decisions;
  }

  /**
   * A turn has ended.
   * @param bytes what the warm model holds now; null if it was dropped.
   * @param nextMs when the model's next row is expected; null if nobody knows.
   */
  finished(metricId: string, bytes: number | null, end: TurnEnd, nextMs: number | null = null): void {
    const model = this.#expect(metricId, 'running');
    this.#worker(model.runsOn).running--;
    if (model.swapsIn) this.#swappingIn--;
    model.swapsIn = false;
    model.runsOn = null;
    // A worker that went down meanwhile took the model with it.
    if (bytes === null || model.warmOn === null) {
      this.#occupy(model, null, 0);
    } else {
      this.#occupy(model, model.warmOn, Math.max(1, bytes));
      this.#memory.learn(bytes);
    }
    model.nextMs = nextMs;
    model.urgency = URGENCY[end === 'replaying' && model.warmOn === null ? 'rest' : end];
    model.backlogTurns = end === 'more' ? model.backlogTurns + 1 : 0;
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
    if (model.phase === 'waiting' || model.phase === 'gathering') {
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
    const count = (number: (worker: SlotWorker) => number) =>
      this.#workers.reduce((sum, worker) => sum + number(worker), 0);
    return {
      warmModels: count((worker) => worker.models),
      heldBytes: this.#memory.heldBytes,
      waitingModels: this.#waitingCold + count((worker) => waiting(worker.lines)),
      gatheringModels: this.#gathering.size,
    };
  }

  get #waitingCold(): number {
    return waiting(this.#cold) + this.#gathering.size;
  }

  #next(nowMs: number): Decision | null {
    const trimmed = this.#trim(nowMs);
    if (trimmed !== null) return trimmed;
    const free = this.#workers.filter((worker) => worker.up && worker.running < this.#limits.lanes);
    if (free.length === 0) return null;
    const order = this.#freshTurns < FRESH_TURNS ? [FRESH, BACKLOG] : [BACKLOG, FRESH];
    for (const urgencies of order) {
      const decision = this.#nextOf(urgencies, free, nowMs);
      if (decision !== null) return decision;
    }
    return null;
  }

  #nextOf(urgencies: readonly Urgency[], free: readonly SlotWorker[], nowMs: number): Decision | null {
    const warm = earliest(free.flatMap(({ lines }) => urgencies.map((urgency) => lines[urgency].first)));
    // Where there is memory and nobody in line for it, nobody need gather.
    const cold =
      this.#memory.hasRoom && waiting(this.#cold) === 0
        ? this.#gathering.first
        : earliest(urgencies.map((urgency) => this.#cold[urgency].first));
    if (cold !== null && (warm === null || cold.ticket < warm.ticket)) {
      if (this.#memory.hasRoom) return this.#start(cold, leastLoaded(free));
      const victim = this.#memory.willHaveRoom ? null : this.#victim(nowMs, cold);
      if (victim !== null) return this.#evict(victim);
      // Its memory is about to be free. Those that need no more than they have may run meanwhile.
    }
    return warm === null ? null : this.#start(warm, this.#worker(warm.warmOn));
  }

  /** Models grow while they run: brings what is kept back within the budget, down to one model. */
  #trim(nowMs: number): Decision | null {
    const victim = this.#memory.exceeded ? this.#victim(nowMs, null) : null;
    return victim === null || victim.bytes === this.#memory.keptBytes ? null : this.#evict(victim);
  }

  #start(model: SlotModel, worker: SlotWorker): Decision {
    this.#dequeue(model);
    model.phase = 'running';
    model.runsOn = worker.index;
    worker.running++;
    const fresh = model.urgency === 'fresh';
    this.#freshTurns = model.urgency === 'backlog' ? 0 : this.#freshTurns + 1;
    if (model.warmOn === null) {
      this.#occupy(model, worker.index, this.#memory.reservedBytes);
      model.swapsIn = fresh;
      if (fresh) this.#swappingIn++;
    }
    return { kind: 'run', metricId: model.metricId, worker: worker.index, fresh };
  }

  /** The model that will be missed least; of those that wait only one that may go before `cold` does. */
  #victim(nowMs: number, cold: SlotModel | null): SlotModel | null {
    const idle = leastMissed(this.#idle, nowMs);
    if (idle !== null) return idle;
    const last = (urgency: Urgency) => latest(this.#workers.map(({ lines }) => lines[urgency].last));
    const backlog = last('backlog');
    if (backlog !== null && (cold?.urgency !== 'backlog' || backlog.ticket > cold.ticket)) return backlog;
    const fresh = last('fresh');
    return fresh !== null && fresh.ticket > (cold?.ticket ?? 0) ? fresh : null;
  }

  #evict(model: SlotModel): Decision {
    const worker = this.#worker(model.warmOn);
    if (model.phase === 'waiting') {
      this.#dequeue(model);
      model.again = true;
    }
    this.#idle.delete(model);
    model.phase = 'leaving';
    this.#memory.leave(model.bytes);
    return { kind: 'evict', metricId: model.metricId, worker: worker.index, fresh: false };
  }

  /** After a turn, an eviction or a claim: back to the end of the line, to rest, or out of sight. */
  #settle(model: SlotModel): void {
    model.phase = 'idle';
    if (model.again) this.#enqueue(model);
    else if (model.warmOn !== null) this.#idle.add(model);
    else this.#forget(model);
  }

  #add(metricId: string): SlotModel {
    const model = newModel(metricId);
    this.#models.set(metricId, model);
    return model;
  }

  #forget(model: SlotModel): void {
    this.#idle.delete(model);
    this.#models.delete(model.metricId);
  }

  #enqueue(model: SlotModel): void {
    this.#idle.delete(model);
    model.phase = 'waiting';
    model.again = false;
    const line = this.#line(model);
    // One that goes on with its backlog has the place that it had.
    if (model.backlogTurns % BACKLOG_TURNS > 0) {
      line.insert(model, ({ ticket }) => ticket > model.ticket);
      return;
    }
    model.ticket = ++this.#tickets;
    line.add(model);
  }

  #dequeue(model: SlotModel): void {
    if (model.phase === 'gathering') this.#gathering.delete(model);
    else this.#line(model).delete(model);
  }

  /** Lets a cold model that was woken wait for more of its rows, if that is the time for it. */
  #gather(model: SlotModel, nowMs: number, apartMs: number | null): boolean {
    if (this.#memory.hasRoom || !this.#gathering.add(model, nowMs, apartMs)) return false;
    model.phase = 'gathering';
    model.ticket = ++this.#tickets;
    return true;
  }

  /** It has the place in line of when it was woken. */
  #gathered(model: SlotModel): void {
    this.#gathering.delete(model);
    model.phase = 'waiting';
    this.#line(model).insert(model, ({ ticket }) => ticket > model.ticket);
  }

  #line(model: SlotModel): LinkedSet<SlotModel> {
    return (model.warmOn === null ? this.#cold : this.#worker(model.warmOn).lines)[model.urgency];
  }

  /** Accounts for where a model is warm from now on, and with how many bytes. */
  #occupy(model: SlotModel, worker: number | null, bytes: number): void {
    if (model.warmOn !== null) this.#worker(model.warmOn).models--;
    if (worker !== null) this.#worker(worker).models++;
    this.#memory.hold(model.bytes, bytes);
    model.warmOn = worker;
    model.bytes = bytes;
    if (model.urgency === 'replaying') model.urgency = 'fresh';
  }

  #worker(index: number | null): SlotWorker {
    const worker = index === null ? undefined : this.#workers[index];
    if (worker === undefined) throw new RangeError(`there is no worker ${String(index)}`);
    return worker;
  }

  #expect(metricId: string, phase: Phase): SlotModel {
    const model = this.#models.get(metricId);
    if (model?.phase !== phase) {
      throw new Error(`model ${metricId} is ${model?.phase ?? 'unknown'}, not ${phase}`);
    }
    return model;
  }
}

const FRESH: readonly Urgency[] = ['fresh', 'replaying'];
const BACKLOG: readonly Urgency[] = ['backlog'];
const URGENCY: Readonly<Record<TurnEnd, Urgency>> = {
  rest: 'fresh',
  more: 'backlog',
  replaying: 'replaying',
  declined: 'backlog',
};
