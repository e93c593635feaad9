import { fetchFeed } from './nyc-feed.ts';
import { type Route, ROUTES } from './routes.ts';
import { type Reading, STEP_SECONDS, TrafficSimulation } from './simulation.ts';

export type ShownRoute = Pick<Route, 'id' | 'name' | 'borough' | 'points'>;

export interface RouteReading extends Reading {
  readonly routeId: string;
}

/** Where traffic comes from. */
export interface TrafficSource {
  /** What people are told of it. */
  readonly label: string;
  readonly simulated: boolean;
  /** Known so far. */
  readonly routes: readonly ShownRoute[];
  /**
   * What was measured, batch by batch and each route in order, until `signal` ends it.
   * @param lastTime epoch seconds of the newest value that the engine has; null without any
   */
  readings(lastTime: number | null, signal: AbortSignal): AsyncGenerator<readonly RouteReading[]>;
  /** Plants an incident on a route from the next value on; null where that cannot be done. */
  plant(routeId: string): { readonly from: number } | null;
}

export interface SimulationOptions {
  readonly seed: number;
  /** Simulated seconds a second, until the present is reached. */
  readonly speedUp: number;
  /** Days before the simulation's beginning that come at once. */
  readonly historyDays: number;
  /** What is taken for the present when the simulation begins, epoch milliseconds; the clock's without it. */
  readonly presentMs?: number;
  /** How many of the routes. */
  readonly routes: number;
}

const DAY_SECONDS = 86_400;
/** The simulation runs ahead of the history for so long, sped up, before it comes to the present. */
const RUN_DAYS = 7;
/** History goes to the engine in pieces of a day. */
const STEPS_PER_PIECE = DAY_SECONDS / STEP_SECONDS;

export class SimulatedTraffic implements TrafficSource {
  readonly label: string;
  readonly simulated = true;
  readonly routes: readonly Route[];
  readonly #simulation: TrafficSimulation;
  readonly #options: SimulationOptions;
  readonly #aheadMs: number;
  #next = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#aheadMs = options.presentMs === undefined ? 0 : options.presentMs - Date.now();
    this.#simulation = new TrafficSimulation(options.seed);
    this.routes = ROUTES.slice(0, options.routes);
    this.label = `Simulated traffic, seed ${options.seed}: no value was measured on any road`;
  }

  async *readings(lastTime: number | null, signal: AbortSignal): AsyncGenerator<readonly RouteReading[]> {
    const { historyDays, speedUp } = this.#options;
    const historyEnd = onStep((Date.now() + this.#aheadMs) / 1000 - RUN_DAYS * DAY_SECONDS);
    this.#next = lastTime === null ? historyEnd - historyDays * DAY_SECONDS : onStep(lastTime) + STEP_SECONDS;
    while (!signal.aborted) {
      const left = lastTime === null ? (historyEnd - this.#next) / STEP_SECONDS : 0;
      if (left > 0) {
        yield this.#steps(Math.min(left, STEPS_PER_PIECE));
        continue;
      }
      yield this.#steps(1);
      const untilReal = this.#next * 1000 - (Date.now() + this.#aheadMs);
      await pause(Math.max((STEP_SECONDS * 1000) / speedUp, untilReal), signal);
    }
  }

  plant(routeId: string): { readonly from: number } | null {
    const route = this.routes.find(({ id }) => id === routeId);
    return route === undefined ? null : this.#simulation.plant(route, this.#next);
  }

  #steps(count: number): RouteReading[] {
    const first = this.#next;
    this.#next += count * STEP_SECONDS;
    return this.routes.flatMap((route) =>
      Array.from({ length: count }, (_, step) => ({
        routeId: route.id,
        ...this.#simulation.reading(route, first + step * STEP_SECONDS),
      })),
    );
  }
}

/** The city's feed, asked every five minutes. */
export class LiveFeed implements TrafficSource {
  readonly label: string;
  readonly simulated = false;
  readonly #url: string;
  readonly #routes = new Map<string, ShownRoute>();
  readonly #pauseMs: number;

  constructor(url: string, pauseMs = STEP_SECONDS * 1000) {
    this.#url = url;
    this.#pauseMs = pauseMs;
    this.label = `Live traffic speeds of New York City's Department of Transportation (${url})`;
  }

  get routes(): readonly ShownRoute[] {
    return [...this.#routes.values()];
  }

  async *readings(_lastTime: number | null, signal: AbortSignal): AsyncGenerator<readonly RouteReading[]> {
    while (!signal.aborted) {
      try {
        const { readings, refused } = await fetchFeed(this.#url);
        for (const { row, reason } of refused)
          process.stderr.write(`traffic: row ${row} of the feed: ${reason}\n`);
        for (const { route } of readings) this.#routes.set(route.id, route);
        // What the engine has already it refuses as a duplicate, so nothing need be remembered here.
        yield readings
          .map(({ route, ...reading }) => ({ routeId: route.id, ...reading }))
          .sort((a, b) => a.timestamp - b.timestamp);
      } catch (error) {
        process.stderr.write(`traffic: the feed was not read: ${String(error)}\n`);
      }
      await pause(this.#pauseMs, signal);
    }
  }

  plant(): null {
    return null;
  }
}

function onStep(timestamp: number): number {
  return Math.floor(timestamp / STEP_SECONDS) * STEP_SECONDS;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
