import { setTimeout as delay } from 'node:timers/promises';
import type { EngineLink, TrafficRow } from './engine-link.ts';
import { RULES } from './rules.ts';
import type { RouteReading, ShownRoute, TrafficSource } from './sources.ts';
import { type PageServer, servePage } from './server.ts';

/** Rows after which the likelihood is fitted for the first time; until then scores are 0.5. */
const LEARNING_ROWS = 388;
/** A route has the colour of the highest score of its last hour. */
const COLOUR_ROWS = 12;
const MAX_LISTED = 20;
const CHART_ROWS = 288;
const RETRY_MS = 2000;

export interface RouteState extends ShownRoute {
  readonly timestamp: number | null;
  readonly speed: number | null;
  readonly travelSeconds: number | null;
  /** The highest of the last hour; null before the first score. */
  readonly anomalyScore: number | null;
  readonly level: 'learning' | 'usual' | 'remarkable' | 'alarm';
}

export interface Alarm {
  readonly routeId: string;
  readonly name: string;
  /** Epoch seconds of its first and its newest row. */
  readonly from: number;
  readonly to: number;
  readonly anomalyScore: number;
}

/** Carries traffic from a source to an engine, and what the engine makes of it to the page. */
export class Application {
  /** Resolves when everything has stopped. */
  readonly ended: Promise<void>;
  readonly #resolveEnded: () => void;
  readonly #source: TrafficSource;
  readonly #link: EngineLink;
  readonly #stop = new AbortController();
  #server: PageServer | null = null;
  #feeding: Promise<void> = Promise.resolve();

  constructor(source: TrafficSource, link: EngineLink) {
    this.#source = source;
    this.#link = link;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.ended = promise.then(() => undefined);
    this.#resolveEnded = () => resolve(undefined);
  }

  /** @returns the page's address */
  async start(port: number): Promise<string> {
    this.#server = await servePage(port, {
      state: () => this.state(),
      rows: (routeId) => this.rows(routeId),
      plant: (routeId) => this.#source.plant(routeId),
    });
    this.#feeding = this.#feed();
    return this.#server.address;
  }

  stop(): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    void this.#end();
  }

  /** What the page shows. */
  async state() {
    const { label, simulated } = this.#source;
    const both = await Promise.all(this.#source.routes.map((route) => this.#stateOf(route)));
    const alarms = both
      .flatMap(({ alarms }) => alarms)
      .sort((a, b) => b.from - a.from)
      .slice(0, MAX_LISTED);
    const routes = both.map(({ state }) => state);
    const timestamp = routes.reduce((newest, route) => Math.max(newest, route.timestamp ?? 0), 0);
    return { label, simulated, engine: this.#link.address, timestamp: timestamp || null, routes, alarms };
  }

  /** A day of a route: null where there is no such route. */
  async rows(routeId: string): Promise<readonly TrafficRow[] | null> {
    if (!this.#source.routes.some(({ id }) => id === routeId)) return null;
    return this.#link.lastRows(routeId, CHART_ROWS);
  }

  async #stateOf(route: ShownRoute): Promise<{ state: RouteState; alarms: Alarm[] }> {
    const [rows, travel] = await Promise.all([
      this.#link.lastRows(route.id, CHART_ROWS + LEARNING_ROWS),
      this.#link.lastRows(travelName(route.id), 1),
    ]);
    const newest = rows.at(-1);
    const scored = rows.filter((row) => row.anomalyScore !== null);
    const highest = scored
      .slice(-COLOUR_ROWS)
      .reduce<number | null>((most, row) => Math.max(most ?? 0, row.anomalyScore ?? 0), null);
    const state: RouteState = {
      ...route,
      timestamp: newest?.timestamp ?? null,
      speed: newest?.value ?? null,
      travelSeconds: travel[0]?.value ?? null,
      anomalyScore: highest,
      level: scored.length < LEARNING_ROWS || highest === null ? 'learning' : levelOf(highest),
    };
    return { state, alarms: alarmsOf(route, scored) };
  }

  async #feed(): Promise<void> {
    const { signal } = this.#stop;
    const monitored = new Set<string>();
    while (!signal.aborted) {
      try {
        const times = await this.#link.lastTimes();
        const known = this.#source.routes.map(({ id }) => times.get(id)).filter((time) => time !== undefined);
        // From the oldest of the newest on: what others have already is refused as a duplicate.
        const lastTime = known.length === 0 ? null : Math.min(...known);
        for await (const readings of this.#source.readings(lastTime, signal)) {
          for (const { routeId } of readings) {
            if (!monitored.has(routeId)) await this.#link.monitor(routeId);
            monitored.add(routeId);
          }
          await this.#link.send(readings.flatMap(samplesOf));
        }
      } catch (error) {
        // The engine is away for a while: what was not stored is sent again.
        if (this.#isStopping()) return;
        process.stderr.write(`traffic: ${String(error)}; trying again\n`);
        await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  #isStopping(): boolean {
    return this.#stop.signal.aborted;
  }

  async #end(): Promise<void> {
    await this.#server?.close();
    await this.#feeding;
    await this.#link.close();
    this.#resolveEnded();
  }
}

/** Travel times are kept and shown, not monitored: they follow from the speed. */
function travelName(routeId: string): string {
  return `${routeId}.travel_time`;
}

function samplesOf({ routeId, timestamp, speed, travelSeconds }: RouteReading) {
  return [
    { name: routeId, value: speed, timestamp },
    { name: travelName(routeId), value: travelSeconds, timestamp },
  ];
}

function levelOf(score: number): RouteState['level'] {
  if (score >= RULES.alarmScore) return 'alarm';
  return score >= RULES.remarkableScore ? 'remarkable' : 'usual';
}

function alarmsOf({ id, name }: ShownRoute, rows: readonly TrafficRow[]): Alarm[] {
  const alarms: { routeId: string; name: string; from: number; to: number; anomalyScore: number }[] = [];
  for (const { timestamp, anomalyScore } of rows) {
    if (anomalyScore === null || anomalyScore < RULES.alarmScore) continue;
    const last = alarms.at(-1);
    if (last !== undefined && timestamp - last.to <= RULES.sameAlarmMinutes * 60) {
      last.to = timestamp;
      last.anomalyScore = Math.max(last.anomalyScore, anomalyScore);
    } else alarms.push({ routeId: id, name, from: timestamp, to: timestamp, anomalyScore });
  }
  return alarms;
}
