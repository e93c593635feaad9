import { setTimeout as delay } from 'node:timers/promises';
import type { SampleJson } from 'htmengine/client';
import { City, type Planted, secondOf, STEP_SECONDS, STEPS_PER_DAY, travelMinutes } from './city.ts';
import { FEED_URL, readFeed, type Reading } from './feed.ts';
import { ROUTES } from './routes.ts';

/** A route as the page draws it. */
export interface DrawnRoute {
  readonly id: string;
  readonly name: string;
  readonly borough: string;
  /** 0..100 by 0..100, y downwards. */
  readonly points: readonly (readonly [number, number])[];
}

/** Where speeds come from: a simulation, or the city's feed. */
export interface Source {
  readonly title: string;
  readonly isSimulated: boolean;
  readonly routes: readonly DrawnRoute[];
  /** What was planted, as far as it has happened. */
  planted(upToSecond: number): readonly Planted[];
  /** Samples in order of their times, as fast as they are to be sent. Ends when `signal` is aborted. */
  batches(signal: AbortSignal): AsyncGenerator<readonly SampleJson[]>;
}

export interface SimulationOptions {
  readonly seed: number;
  /** Days that are sent at once, for models to learn from. */
  readonly historyDays: number;
  /** Seconds of the city in one second here, from then on. */
  readonly speedUp: number;
}

/** A year; nobody watches longer. */
const DAYS = 365;
const BATCH_STEPS = 144;

/** The simulated city: what it has behind it at once, then step by step. */
export function simulated({ seed, historyDays, speedUp }: SimulationOptions): Source {
  const city = new City(seed, DAYS);
  const samplesOf = (step: number): SampleJson[] =>
    ROUTES.flatMap((route) => {
      const speed = city.speed(route, step);
      const timestamp = secondOf(step);
      return [
        { name: route.id, value: speed, timestamp },
        { name: `${route.id}.minutes`, value: travelMinutes(route, speed), timestamp },
      ];
    });
  return {
    title: `a simulated city (seed ${seed}), ${speedUp} times as fast as life`,
    isSimulated: true,
    routes: ROUTES,
    planted: (upToSecond) => city.planted.filter(({ from }) => secondOf(from) <= upToSecond),
    async *batches(signal) {
      const history = historyDays * STEPS_PER_DAY;
      const goesOn = () => !signal.aborted;
      for (let step = 0; step < history && goesOn(); step += BATCH_STEPS) {
        const steps = Array.from({ length: Math.min(BATCH_STEPS, history - step) }, (_, i) => step + i);
        yield steps.flatMap(samplesOf);
      }
      const begun = performance.now();
      for (let step = history; step < DAYS * STEPS_PER_DAY && goesOn(); step++) {
        const dueMs = begun + ((step - history + 1) * STEP_SECONDS * 1000) / speedUp;
        await delay(Math.max(0, dueMs - performance.now()), undefined, { signal }).catch(() => undefined);
        if (goesOn()) yield samplesOf(step);
      }
    },
  };
}

/** The city's feed, asked every five minutes. @param ask gives its answer: of the network, or a recorded one */
export async function live(ask: () => Promise<unknown> = askFeed): Promise<Source> {
  const { readings } = readFeed(await ask());
  if (readings.length === 0) throw new Error('the feed has no reading of any route');
  return {
    title: "the city's public feed",
    isSimulated: false,
    routes: drawn(readings),
    planted: () => [],
    async *batches(signal) {
      while (!signal.aborted) {
        const { readings: now, problems } = await readOrTell(ask);
        for (const problem of problems) process.stderr.write(`feed: ${problem}\n`);
        yield now.flatMap(({ id, speed, travelSeconds, timestamp }) => [
          { name: id, value: speed, timestamp },
          { name: `${id}.minutes`, value: Math.round((100 * travelSeconds) / 60) / 100, timestamp },
        ]);
        await delay(STEP_SECONDS * 1000, undefined, { signal }).catch(() => undefined);
      }
    },
  };
}

async function readOrTell(ask: () => Promise<unknown>): Promise<ReturnType<typeof readFeed>> {
  try {
    return readFeed(await ask());
  } catch (error) {
    // Tried again with the next round.
    return { readings: [], problems: [error instanceof Error ? error.message : String(error)] };
  }
}

async function askFeed(): Promise<unknown> {
  const answer = await fetch(FEED_URL, { signal: AbortSignal.timeout(30_000) });
  if (!answer.ok) throw new Error(`the feed answered ${answer.status}`);
  return await answer.json();
}

/** Fits the routes' coordinates into the drawing. A degree of longitude is shorter than one of latitude up there. */
function drawn(readings: readonly Reading[]): DrawnRoute[] {
  const flat = ([latitude, longitude]: readonly [number, number]) => [longitude * 0.757, -latitude] as const;
  const all = readings.flatMap(({ points }) => points.map(flat));
  const [left, top] = [Math.min(...all.map(([x]) => x)), Math.min(...all.map(([, y]) => y))];
  const size = Math.max(...all.map(([x]) => x - left), ...all.map(([, y]) => y - top), 1e-6);
  const place = (at: number, first: number) => Math.round((10_000 * (at - first)) / size) / 100;
  return readings.map(({ id, name, borough, points }) => ({
    id,
    name,
    borough,
    points: points.map(flat).map(([x, y]) => [place(x, left), place(y, top)] as const),
  }));
}
