import { LinkedSet } from './linked-set.ts';

/** What the policy knows of models and workers, and how it picks among them. */

/** `gathering`: cold, with a row to process, and waiting for more of them. */
export type Phase = 'idle' | 'waiting' | 'gathering' | 'running' | 'leaving' | 'claimed';

/**
 * `fresh`: woken, so perhaps a new sample that somebody waits for. `replaying`: since it was loaded it has only seen
 * rows again that were processed before. `backlog`: rows are known to be left that nobody waits for.
 */
export type Urgency = 'fresh' | 'replaying' | 'backlog';

export interface SlotModel {
  readonly metricId: string;
  phase: Phase;
  urgency: Urgency;
  /** Woken while it was busy. */
  again: boolean;
  /** Its place in line: lower came earlier. */
  ticket: number;
  /** Turns it had one after the other for its backlog. */
  backlogTurns: number;
  warmOn: number | null;
  runsOn: number | null;
  bytes: number;
  /** When its next row is expected, by the clock of `finished`; null if nobody knows. */
  nextMs: number | null;
  /** While it gathers: when that ends, by the clock of `wake`. */
  dueMs: number;
  /** Its turn began with loading it. */
  swapsIn: boolean;
}

export interface SlotWorker {
  readonly index: number;
  up: boolean;
  running: number;
  /** Warm models. */
  models: number;
  /** Models that are warm here and wait, by urgency. */
  readonly lines: Lines;
}

/** Waiting models, each line in the order of tickets. */
export type Lines = Readonly<Record<Urgency, LinkedSet<SlotModel>>>;

export function newLines(): Lines {
  return { fresh: new LinkedSet(), replaying: new LinkedSet(), backlog: new LinkedSet() };
}

export function newModel(metricId: string): SlotModel {
  return {
    metricId,
    phase: 'idle',
    urgency: 'fresh',
    again: false,
    ticket: 0,
    backlogTurns: 0,
    warmOn: null,
    runsOn: null,
    bytes: 0,
    nextMs: null,
    dueMs: 0,
    swapsIn: false,
  };
}

export function waiting(lines: Lines): number {
  return lines.fresh.size + lines.replaying.size + lines.backlog.size;
}

/** Few turns under way, then few warm models: spreads models evenly, since they stay where they are. */
export function leastLoaded(workers: readonly SlotWorker[]): SlotWorker {
  return workers.reduce((best, worker) =>
    worker.running < best.running || (worker.running === best.running && worker.models < best.models)
      ? worker
      : best,
  );
}

export function earliest(models: Iterable<SlotModel | null>): SlotModel | null {
  return pick(models, (model, best) => model.ticket < best.ticket);
}

export function latest(models: Iterable<SlotModel | null>): SlotModel | null {
  return pick(models, (model, best) => model.ticket > best.ticket);
}

/**
 * The idle model that will be missed least: of those of which nothing is expected, or no longer, the least recently
 * used; else the one whose next row is furthest away. `idle` is in the order of use. Where all come in turn, as metrics
 * do that are sampled at equal intervals, the least recently used one is needed soonest.
 */
export function leastMissed(idle: Iterable<SlotModel>, nowMs: number): SlotModel | null {
  let furthest: SlotModel | null = null;
  for (const model of idle) {
    if (model.nextMs === null || model.nextMs + OVERDUE_MS < nowMs) return model;
    if (furthest === null || model.nextMs > (furthest.nextMs ?? 0)) furthest = model;
  }
  return furthest;
}

/** A row that is so late is not waited for any more. */
const OVERDUE_MS = 10_000;

function pick(
  models: Iterable<SlotModel | null>,
  better: (model: SlotModel, best: SlotModel) => boolean,
): SlotModel | null {
  let best: SlotModel | null = null;
  for (const model of models) if (model !== null && (best === null || better(model, best))) best = model;
  return best;
}
