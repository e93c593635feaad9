import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Decision, SlotLimits, TurnEnd } from './slot-terms.ts';
import { Slots } from './slots.ts';

const LIMITS: SlotLimits = {
  workers: 1,
  lanes: 1,
  memoryBudgetBytes: 1000,
  typicalModelBytes: 100,
  maxWaiting: 100,
  maxGatherMs: 0,
};

function text(decisions: readonly Decision[]): string[] {
  return decisions.map(({ kind, metricId, worker }) => `${kind} ${metricId} on ${worker}`);
}

function slots(limits: Partial<SlotLimits> = {}): Slots {
  return new Slots({ ...LIMITS, ...limits });
}

/** Makes a model warm and idle. */
function warm(policy: Slots, metricId: string, bytes = 100, nextMs: number | null = null): void {
  policy.wake(metricId);
  policy.decide();
  policy.finished(metricId, bytes, 'rest', nextMs);
}

describe('slots: the line', () => {
  it('runs models in the order they were woken, each once', () => {
    const policy = slots();
    for (const metricId of ['b', 'a', 'b', 'c', 'a']) policy.wake(metricId);
    const order: string[] = [];
    for (let [next] = policy.decide(); next !== undefined; [next] = policy.decide()) {
      order.push(next.metricId);
      policy.finished(next.metricId, 100, 'rest');
    }
    expect(order).toEqual(['b', 'a', 'c']);
  });

  it('gives a model that was woken during its turn another one', () => {
    const policy = slots();
    policy.wake('a');
    policy.decide();
    policy.wake('a');
    expect(policy.decide()).toEqual([]);
    policy.finished('a', 100, 'rest');
    expect(text(policy.decide())).toEqual(['run a on 0']);
    policy.finished('a', 100, 'rest');
    expect(policy.decide()).toEqual([]);
  });

  it('lets a model with a backlog run again after all that waited, and again while it has more', () => {
    const policy = slots();
    for (const metricId of ['long', 'x', 'y']) policy.wake(metricId);
    const order: string[] = [];
    for (let turn = 0; turn < 6; turn++) {
      const [next] = policy.decide();
      if (next === undefined) break;
      order.push(next.metricId);
      policy.finished(next.metricId, 100, next.metricId === 'long' && turn < 5 ? 'more' : 'rest');
    }
    expect(order).toEqual(['long', 'x', 'y', 'long', 'long', 'long']);
  });

  /** Lets turns go by, each of which the model named in `ends` ends as told there. @returns who had one, in order */
  function turns(policy: Slots, count: number, ends: (metricId: string) => TurnEnd): string[] {
    return Array.from({ length: count }, () => {
      const [next] = policy.decide();
      if (next === undefined) return 'nobody';
      policy.finished(next.metricId, 100, ends(next.metricId));
      return next.metricId;
    });
  }

  it('lets a model that was woken run before those with a backlog, whose turns do not stop', () => {
    const policy = slots({ memoryBudgetBytes: 10_000 });
    policy.wake('import');
    turns(policy, 3, () => 'more');
    for (let i = 0; i < 20; i++) policy.wake(`live${i}`);
    const order = turns(policy, 22, (metricId) => (metricId === 'import' ? 'more' : 'rest'));
    expect(order.map((metricId) => (metricId === 'import' ? 'import' : 'live'))).toEqual([
      ...Array<string>(8).fill('live'),
      'import',
      ...Array<string>(8).fill('live'),
      'import',
      ...Array<string>(4).fill('live'),
    ]);
  });

  it('lets a model go on with its backlog for some turns before the next one begins with its own', () => {
    const policy = slots();
    policy.wake('a');
    policy.wake('b');
    expect(turns(policy, 2, () => 'declined')).toEqual(['a', 'b']);
    expect(turns(policy, 30, () => 'more')).toEqual([
      ...Array<string>(10).fill('a'),
      ...Array<string>(10).fill('b'),
      ...Array<string>(10).fill('a'),
    ]);
  });

  it('says whether a turn comes before those with a backlog', () => {
    const policy = slots();
    policy.wake('a');
    expect(policy.decide()).toMatchObject([{ metricId: 'a', fresh: true }]);
    policy.finished('a', null, 'declined');
    expect(policy.decide()).toMatchObject([{ metricId: 'a', fresh: false }]);
    policy.wake('a');
    policy.finished('a', 100, 'rest');
    expect(policy.decide()).toMatchObject([{ metricId: 'a', fresh: true }]);
  });

  it('takes no more cold models than its line may hold, but always warm ones', () => {
    const policy = slots({ maxWaiting: 2 });
    warm(policy, 'warm');
    expect(['a', 'b', 'c', 'a', 'warm'].map((metricId) => policy.wake(metricId))).toEqual([
      true,
      true,
      false,
      true,
      true,
    ]);
    expect(policy.usage().waitingModels).toBe(3);
  });
});

describe('slots: gathering rows of one model', () => {
  /** Has memory for one model, which another one holds, and was busy swapping in for long; the time is 20 s. */
  function pressed(maxGatherMs = 3_000, memoryBudgetBytes = 100): Slots {
    const policy = slots({ memoryBudgetBytes, maxGatherMs });
    policy.wake('warm', 0);
    policy.decide(0);
    policy.decide(20_000);
    policy.finished('warm', 100, 'rest');
    policy.decide(20_000);
    return policy;
  }

  it('lets a cold model wait for its next rows, and no longer than allowed', () => {
    const policy = pressed();
    policy.wake('a', 20_000, 1_000);
    expect(policy.decide(20_000)).toEqual([]);
    expect(policy.dueMs).toBe(23_000);
    expect(policy.usage()).toMatchObject({ waitingModels: 1, gatheringModels: 1 });
    policy.wake('a', 21_000, 1_000);
    policy.wake('a', 22_000, 1_000);
    expect(policy.decide(22_999)).toEqual([]);
    expect(text(policy.decide(23_000))).toEqual(['evict warm on 0']);
    policy.evicted('warm');
    expect(text(policy.decide(23_000))).toEqual(['run a on 0']);
    expect(policy.dueMs).toBeNull();
  });

  it('ends the wait with the last row that can be expected before its end', () => {
    const policy = pressed();
    policy.wake('a', 20_000, 2_000);
    expect(policy.decide(20_000)).toEqual([]);
    policy.wake('a', 22_000, 2_000);
    expect(text(policy.decide(22_000))).toEqual(['evict warm on 0']);
  });

  it.each([
    ['whose next row comes later than that', 3_001],
    ['of which nobody knows when it comes', null],
  ])('lets no model wait %s', (_, apartMs) => {
    const policy = pressed();
    policy.wake('a', 20_000, apartMs);
    expect(text(policy.decide(20_000))).toEqual(['evict warm on 0']);
  });

  it('lets nobody wait if that is not allowed', () => {
    const policy = pressed(0);
    policy.wake('a', 20_000, 1_000);
    expect(text(policy.decide(20_000))).toEqual(['evict warm on 0']);
  });

  it('lets nobody wait while swapping in takes little time, and the longer the more it takes', () => {
    const policy = slots({ memoryBudgetBytes: 100, maxGatherMs: 3_000 });
    warm(policy, 'warm');
    policy.wake('a', 0, 1_000);
    expect(text(policy.decide(0))).toEqual(['evict warm on 0']);
    policy.evicted('warm');
    policy.decide(0);
    // Half of the time that counts.
    policy.decide(5_000);
    policy.finished('a', 100, 'rest');
    policy.decide(5_000);
    policy.wake('b', 5_000, 1_000);
    policy.decide(5_000);
    expect(policy.dueMs).toBe(6_500);
  });

  it('lets nobody wait for rows who waits for a worker anyway, with memory enough', () => {
    const policy = pressed(3_000, 1_000);
    policy.wake('b', 20_000);
    expect(text(policy.decide(20_000))).toEqual(['run b on 0']);
    policy.wake('a', 20_000, 1_000);
    expect(policy.decide(20_000)).toEqual([]);
    expect(policy.usage()).toMatchObject({ waitingModels: 1, gatheringModels: 0 });
  });

  it('lets nobody wait while there is memory, and begins at once when it gets free', () => {
    const policy = pressed();
    policy.wake('a', 20_000, 1_000);
    policy.wake('b', 20_000, 1_000);
    expect(policy.decide(20_000)).toEqual([]);
    policy.claim('warm');
    policy.release('warm');
    expect(text(policy.decide(20_100))).toEqual(['run a on 0']);
    policy.finished('a', null, 'rest');
    expect(text(policy.decide(20_100))).toEqual(['run b on 0']);
  });

  it('keeps a model that somebody claims from running, and its row', () => {
    const policy = pressed();
    policy.wake('a', 20_000, 1_000);
    expect(policy.claim('a')).toBe(true);
    expect(policy.decide(24_000)).toEqual([]);
    policy.release('a');
    expect(text(policy.decide(24_000))).toEqual(['evict warm on 0']);
  });

  it('counts those that gather among those that wait', () => {
    const policy = pressed();
    for (let i = 0; i < LIMITS.maxWaiting; i++) policy.wake(`m${i}`, 20_000, 1_000);
    expect(policy.wake('one more', 20_000, 1_000)).toBe(false);
  });
});

describe('slots: workers', () => {
  it('spreads cold models over workers and lanes', () => {
    const policy = slots({ workers: 2, lanes: 2 });
    for (const metricId of ['a', 'b', 'c', 'd', 'e']) policy.wake(metricId);
    expect(text(policy.decide())).toEqual(['run a on 0', 'run b on 1', 'run c on 0', 'run d on 1']);
  });

  it('puts a cold model where fewer are warm', () => {
    const policy = slots({ workers: 2 });
    warm(policy, 'a');
    warm(policy, 'b');
    warm(policy, 'c');
    policy.wake('d');
    expect(text(policy.decide())).toEqual(['run d on 1']);
  });

  it('runs a warm model where it is warm, and others meanwhile', () => {
    const policy = slots({ workers: 2 });
    warm(policy, 'a');
    policy.wake('cold');
    policy.wake('a');
    policy.wake('colder');
    expect(text(policy.decide())).toEqual(['run cold on 1', 'run a on 0']);
    policy.finished('cold', 100, 'more');
    expect(text(policy.decide())).toEqual(['run colder on 1']);
    policy.finished('a', 100, 'rest');
    // Worker 0 is free, but "cold" is warm on worker 1.
    expect(policy.decide()).toEqual([]);
    policy.finished('colder', 100, 'rest');
    expect(text(policy.decide())).toEqual(['run cold on 1']);
  });

  it('moves the models of a lost worker elsewhere', () => {
    const policy = slots({ workers: 2 });
    warm(policy, 'idle');
    policy.wake('busy');
    policy.wake('waits');
    policy.decide();
    policy.finished('busy', 100, 'more');
    policy.finished('waits', 100, 'more');
    expect(policy.usage().warmModels).toBe(3);
    policy.workerDown(0);
    policy.workerDown(1);
    expect(policy.usage()).toMatchObject({ warmModels: 0, heldBytes: 0, waitingModels: 2 });
    expect(policy.decide()).toEqual([]);
    policy.workerUp(1);
    expect(text(policy.decide())).toEqual(['run busy on 1']);
    policy.finished('busy', null, 'rest');
    expect(text(policy.decide())).toEqual(['run waits on 1']);
  });

  it('takes a model for cold whose worker was lost during its turn', () => {
    const policy = slots();
    policy.wake('a');
    policy.decide();
    policy.workerDown(0);
    policy.finished('a', null, 'more');
    expect(policy.usage()).toMatchObject({ warmModels: 0, heldBytes: 0, waitingModels: 1 });
    policy.workerUp(0);
    expect(text(policy.decide())).toEqual(['run a on 0']);
  });
});

describe('slots: memory', () => {
  it('evicts the least recently used idle model before a cold one starts', () => {
    const policy = slots({ memoryBudgetBytes: 250 });
    warm(policy, 'a');
    warm(policy, 'b');
    warm(policy, 'a');
    policy.wake('c');
    expect(text(policy.decide())).toEqual(['evict b on 0']);
    expect(policy.decide()).toEqual([]);
    policy.evicted('b');
    expect(text(policy.decide())).toEqual(['run c on 0']);
    expect(policy.usage().heldBytes).toBe(200);
  });

  it('evicts the idle model whose next row is furthest away', () => {
    const policy = slots({ memoryBudgetBytes: 350 });
    warm(policy, 'soon', 100, 10_000);
    warm(policy, 'late', 100, 300_000);
    warm(policy, 'later', 100, 60_000);
    policy.wake('cold');
    expect(text(policy.decide(1_000))).toEqual(['evict late on 0']);
  });

  it('evicts idle models of which nothing is known, or that are overdue, before those that are expected', () => {
    const policy = slots({ memoryBudgetBytes: 450 });
    warm(policy, 'late', 100, 300_000);
    warm(policy, 'overdue', 100, 5_000);
    warm(policy, 'unknown', 100);
    warm(policy, 'soon', 100, 20_000);
    policy.wake('cold');
    policy.wake('colder');
    expect(text(policy.decide(16_000))).toEqual(['evict overdue on 0']);
    policy.evicted('overdue');
    expect(text(policy.decide(16_000))).toEqual(['run cold on 0']);
    policy.finished('cold', 100, 'rest', 30_000);
    expect(text(policy.decide(16_000))).toEqual(['evict unknown on 0']);
  });

  it('lets a model with a backlog give way to one that was woken', () => {
    const policy = slots({ memoryBudgetBytes: 250 });
    policy.wake('a');
    policy.wake('b');
    policy.decide();
    policy.finished('a', 100, 'more');
    policy.decide();
    policy.finished('b', 100, 'more');
    expect(policy.decide()).toMatchObject([{ metricId: 'a' }]);
    policy.wake('cold');
    policy.finished('a', 100, 'more');
    expect(text(policy.decide())).toEqual(['evict b on 0', 'run a on 0']);
    policy.evicted('b');
    policy.finished('a', 100, 'more');
    expect(text(policy.decide())).toEqual(['run cold on 0']);
  });

  it('allows one model whatever the budget, and never two at a time', () => {
    const policy = slots({ workers: 2, lanes: 2, memoryBudgetBytes: 1 });
    policy.wake('a');
    policy.wake('b');
    expect(text(policy.decide())).toEqual(['run a on 0']);
    policy.finished('a', 100, 'rest');
    expect(text(policy.decide())).toEqual(['evict a on 0']);
    policy.evicted('a');
    expect(text(policy.decide())).toEqual(['run b on 0']);
    policy.finished('b', 5000, 'rest');
    expect(policy.decide()).toEqual([]);
  });

  it('shrinks to the budget when models have grown', () => {
    const policy = slots({ memoryBudgetBytes: 250 });
    warm(policy, 'a');
    warm(policy, 'b', 240);
    expect(text(policy.decide())).toEqual(['evict a on 0']);
  });

  it('evicts of the waiting models the last, and lets it wait on', () => {
    const policy = slots({ memoryBudgetBytes: 250, workers: 1 });
    warm(policy, 'a');
    warm(policy, 'b');
    policy.wake('cold');
    policy.wake('b');
    policy.wake('a');
    // Room is made for "cold", which came first; "b" needs none and runs meanwhile.
    expect(text(policy.decide())).toEqual(['evict a on 0', 'run b on 0']);
    policy.evicted('a');
    policy.finished('b', 100, 'rest');
    expect(text(policy.decide())).toEqual(['run cold on 0']);
    policy.finished('cold', 100, 'rest');
    expect(text(policy.decide())).toEqual(['evict b on 0']);
    policy.evicted('b');
    expect(text(policy.decide())).toEqual(['run a on 0']);
  });

  it('does not make a model leave that came before the one that needs its memory', () => {
    const policy = slots({ workers: 2, memoryBudgetBytes: 250 });
    policy.workerDown(1);
    warm(policy, 'a');
    warm(policy, 'b');
    policy.workerUp(1);
    for (const metricId of ['a', 'b', 'cold']) policy.wake(metricId);
    expect(text(policy.decide())).toEqual(['run a on 0']);
    policy.finished('a', 100, 'rest');
    expect(text(policy.decide())).toEqual(['run b on 0', 'evict a on 0']);
  });

  it('keeps a model that replays, lets it overtake, and evicts it when it has got somewhere', () => {
    const policy = slots({ memoryBudgetBytes: 150 });
    policy.wake('replays');
    policy.wake('cold');
    expect(text(policy.decide())).toEqual(['run replays on 0']);
    for (let turn = 0; turn < 3; turn++) {
      policy.finished('replays', 100, 'replaying');
      expect(text(policy.decide())).toEqual(['run replays on 0']);
    }
    policy.finished('replays', 100, 'more');
    expect(text(policy.decide())).toEqual(['evict replays on 0']);
    policy.evicted('replays');
    expect(text(policy.decide())).toEqual(['run cold on 0']);
  });

  it('lets a cold model in although those that are warm are woken again and again', () => {
    const policy = slots({ workers: 2, memoryBudgetBytes: 250 });
    warm(policy, 'a');
    warm(policy, 'b');
    policy.wake('a');
    policy.wake('b');
    expect(text(policy.decide())).toEqual(['run a on 0', 'run b on 1']);
    policy.wake('cold');
    policy.wake('a');
    policy.wake('b');
    policy.finished('a', 200, 'rest');
    // "a" and "b" together leave no room; "a" gives way although it was woken again.
    expect(text(policy.decide())).toEqual(['evict a on 0']);
    policy.finished('b', 100, 'rest');
    policy.evicted('a');
    expect(text(policy.decide())).toEqual(['evict b on 1']);
    policy.evicted('b');
    expect(text(policy.decide())).toEqual(['run cold on 0']);
  });
});

describe('slots: claims', () => {
  it('keeps a claimed model from running until it is released', () => {
    const policy = slots();
    warm(policy, 'a');
    expect(policy.claim('a')).toBe(true);
    expect(policy.claim('a')).toBe(false);
    policy.wake('a');
    expect(policy.decide()).toEqual([]);
    policy.release('a');
    expect(policy.usage().heldBytes).toBe(0);
    expect(text(policy.decide())).toEqual(['run a on 0']);
    expect(policy.claim('a')).toBe(false);
  });

  it('claims unknown and waiting models; a waiting one waits again afterwards', () => {
    const policy = slots();
    expect(policy.claim('unknown')).toBe(true);
    policy.release('unknown');
    policy.wake('waits');
    expect(policy.claim('waits')).toBe(true);
    expect(policy.decide()).toEqual([]);
    policy.release('waits');
    expect(text(policy.decide())).toEqual(['run waits on 0']);
  });
});

describe('slots: whatever happens', () => {
  const METRICS = 12;
  const turnEnds = fc.constantFrom<TurnEnd>('rest', 'more', 'replaying');
  const events = fc.array(
    fc.record({
      kind: fc.constantFrom('wake', 'wake', 'wake', 'finish', 'finish', 'finish', 'evicted', 'down', 'claim'),
      pick: fc.nat(1000),
      end: turnEnds,
      drop: fc.nat(9),
    }),
    { maxLength: 300 },
  );
  const limits = fc.record({
    workers: fc.integer({ min: 1, max: 3 }),
    lanes: fc.integer({ min: 1, max: 2 }),
    memoryBudgetBytes: fc.integer({ min: 1, max: 900 }),
  });

  /** Plays scheduler and workers around a policy, and checks every decision. */
  class World {
    readonly policy: Slots;
    readonly limits: { workers: number; lanes: number; memoryBudgetBytes: number };
    readonly running = new Map<string, number>();
    readonly leaving = new Set<string>();
    readonly warm = new Map<string, number>();
    readonly due = new Set<string>();
    readonly downs = new Set<number>();
    readonly claimed = new Set<string>();
    readonly replaying = new Set<string>();
    /** Turns of a model since it was loaded. */
    readonly turns = new Map<string, number>();
    readonly starts: string[] = [];

    nowMs = 0;

    constructor(given: { workers: number; lanes: number; memoryBudgetBytes: number }) {
      this.limits = given;
      this.policy = new Slots({ ...LIMITS, ...given, maxGatherMs: 10_000 });
    }

    wake(metricId: string): void {
      this.policy.wake(metricId, this.nowMs, 1000 * Number(metricId.slice(1)));
    }

    decide(): void {
      this.nowMs += 500;
      for (const { kind, metricId, worker } of this.policy.decide(this.nowMs)) {
        expect(this.running.has(metricId) || this.leaving.has(metricId) || this.claimed.has(metricId)).toBe(
          false,
        );
        if (kind === 'evict') {
          expect(this.warm.get(metricId)).toBe(worker);
          expect(this.replaying.has(metricId)).toBe(false);
          this.leaving.add(metricId);
          continue;
        }
        expect(this.downs.has(worker)).toBe(false);
        expect(this.warm.get(metricId) ?? worker).toBe(worker);
        this.turns.set(metricId, this.warm.has(metricId) ? (this.turns.get(metricId) ?? 0) + 1 : 1);
        this.running.set(metricId, worker);
        this.warm.set(metricId, worker);
        this.due.delete(metricId);
        this.starts.push(metricId);
        const onWorker = Array.from(this.running.values()).filter((other) => other === worker);
        expect(onWorker.length).toBeLessThanOrEqual(this.limits.lanes);
      }
      // All models take 100 bytes here, so what is warm tells what is held.
      expect(this.warm.size * 100).toBeLessThanOrEqual(Math.max(100, this.limits.memoryBudgetBytes));
    }

    finish(metricId: string, drop: boolean, end: TurnEnd): void {
      this.running.delete(metricId);
      if (drop) this.warm.delete(metricId);
      if (end !== 'rest') this.due.add(metricId);
      if (end === 'replaying' && this.warm.has(metricId)) this.replaying.add(metricId);
      else this.replaying.delete(metricId);
      this.policy.finished(metricId, this.warm.has(metricId) ? 100 : null, end);
    }

    evicted(metricId: string): void {
      this.leaving.delete(metricId);
      this.warm.delete(metricId);
      this.policy.evicted(metricId);
    }

    down(worker: number): void {
      this.downs.add(worker);
      for (const [metricId, where] of this.warm) {
        if (where === worker && !this.running.has(metricId) && !this.leaving.has(metricId)) {
          this.warm.delete(metricId);
          this.replaying.delete(metricId);
        }
      }
      this.policy.workerDown(worker);
    }

    up(worker: number): void {
      this.downs.delete(worker);
      this.policy.workerUp(worker);
    }
  }

  it('keeps its promises, and in the end every woken model has run', () => {
    fc.assert(
      fc.property(limits, events, (given, steps) => {
        const world = new World(given);
        const lost = new Set<string>();
        for (const { kind, pick, end, drop } of steps) {
          const choose = (from: Iterable<string>) => {
            const list = Array.from(from);
            return list[pick % Math.max(1, list.length)];
          };
          if (kind === 'wake') {
            const metricId = `m${pick % METRICS}`;
            world.due.add(metricId);
            world.wake(metricId);
          } else if (kind === 'finish') {
            const metricId = choose(world.running.keys());
            if (metricId !== undefined) world.finish(metricId, drop === 0 || lost.delete(metricId), end);
          } else if (kind === 'evicted') {
            const metricId = choose(world.leaving);
            if (metricId !== undefined) world.evicted(metricId);
          } else if (kind === 'down') {
            const worker = pick % given.workers;
            if (world.downs.has(worker)) world.up(worker);
            else {
              world.down(worker);
              for (const [metricId, where] of world.running) if (where === worker) lost.add(metricId);
            }
          } else {
            const metricId = `m${pick % METRICS}`;
            if (world.claimed.delete(metricId)) world.policy.release(metricId);
            else if (world.policy.claim(metricId)) {
              world.claimed.add(metricId);
              world.replaying.delete(metricId);
              world.warm.delete(metricId);
            }
          }
          if (kind !== 'claim') world.decide();
        }
        // Whatever was going on ends; then all that was woken must get its turn.
        for (const worker of world.downs) world.up(worker);
        for (const metricId of world.claimed) {
          world.claimed.delete(metricId);
          world.policy.release(metricId);
        }
        for (let round = 0; round < 200; round++) {
          world.decide();
          for (const metricId of Array.from(world.running.keys())) {
            world.finish(metricId, lost.delete(metricId), 'rest');
          }
          for (const metricId of Array.from(world.leaving)) world.evicted(metricId);
        }
        expect(Array.from(world.due)).toEqual([]);
        expect(world.policy.usage().waitingModels).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('starves nobody: under lasting load every model gets turn after turn, however long each takes', () => {
    const models = fc.integer({ min: 2, max: METRICS });
    const durations = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1 });
    fc.assert(
      fc.property(limits, models, durations, fc.nat(3), (given, count, ticks, replayTurns) => {
        const world = new World(given);
        for (let i = 0; i < count; i++) world.wake(`m${i}`);
        const ticksLeft = new Map<string, number>();
        let begun = 0;
        for (let tick = 0; tick < 200 * count && world.starts.length < 20 * count; tick++) {
          world.decide();
          for (const metricId of [...world.running.keys(), ...world.leaving]) {
            const left = (ticksLeft.get(metricId) ?? ticks[begun++ % ticks.length] ?? 1) - 1;
            ticksLeft.set(metricId, left);
            if (left > 0) continue;
            ticksLeft.delete(metricId);
            const replays = (world.turns.get(metricId) ?? 0) <= replayTurns;
            if (world.leaving.has(metricId)) world.evicted(metricId);
            else world.finish(metricId, false, replays ? 'replaying' : 'more');
          }
        }
        expect(world.starts.length).toBeGreaterThanOrEqual(20 * count);
        for (let i = 0; i < count; i++) {
          const turns = [-1, ...world.starts.flatMap((id, turn) => (id === `m${i}` ? [turn] : []))];
          const gaps = turns.map((turn, n) => (turns[n + 1] ?? world.starts.length) - turn);
          expect(Math.max(...gaps)).toBeLessThanOrEqual(20 * (1 + replayTurns) * count);
        }
      }),
    );
  });
});
