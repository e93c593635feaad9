import type { FastifyInstance } from 'fastify';
import { AnomalyBars, BAR_SECONDS, type BarPeriod } from '../anomaly-bars.ts';
import { rankMetrics } from '../contract/ranking.ts';
import { statusName } from '../metric.ts';
import type { MetricBars, Queries } from '../store/queries.ts';
import { route } from './route.ts';
import { sharedRead } from './shared-read.ts';

const PAGE_METRICS = 2000;
/** From these log-likelihoods on a bar is yellow, or red (system reference 7.6). */
const YELLOW = 0.4;
const RED = 0.5;

interface Ranked {
  readonly metric: MetricBars;
  readonly bars: readonly (number | null)[];
  readonly red: number;
  readonly yellow: number;
  readonly sum: number;
}

/** Metrics by how anomalous they were lately. */
export function rankingRoutes(app: FastifyInstance, queries: Pick<Queries, 'anomalyBars'>): void {
  const all = sharedRead(() => readAll(queries));
  route(app, rankMetrics, async ({ query: { period, until = Date.now() / 1000, search, offset, limit } }) => {
    const wanted = search.toLowerCase();
    const ranked: Ranked[] = [];
    for (const each of await all()) {
      if (each.metric.name.toLowerCase().includes(wanted)) ranked.push(rank(each, period, until));
    }
    ranked.sort(mostAnomalousFirst);
    const barSeconds = BAR_SECONDS[period];
    return {
      until: (Math.floor(until / barSeconds) + 1) * barSeconds,
      barSeconds,
      total: ranked.length,
      metrics: ranked.slice(offset, offset + limit).map(({ metric, bars, red, yellow }) => ({
        name: metric.name,
        uid: metric.metricId,
        state: statusName(metric.status),
        red,
        yellow,
        bars: [...bars],
      })),
    };
  });
}

interface Decoded {
  readonly metric: MetricBars;
  readonly decoded: AnomalyBars;
}

/** All metrics by name. */
async function readAll(queries: Pick<Queries, 'anomalyBars'>): Promise<Decoded[]> {
  const all: Decoded[] = [];
  for (let after: string | undefined = ''; after !== undefined;) {
    const page: MetricBars[] = await queries.anomalyBars(after, PAGE_METRICS);
    for (const metric of page) all.push({ metric, decoded: AnomalyBars.decode(metric.bars) });
    after = page.length === PAGE_METRICS ? page.at(-1)?.name : undefined;
  }
  return all;
}

function rank({ metric, decoded }: Decoded, period: BarPeriod, until: number): Ranked {
  const bars = decoded.of(period, until);
  let [red, yellow, sum] = [0, 0, 0];
  for (const bar of bars) {
    if (bar === null) continue;
    sum += bar;
    if (bar >= RED) red += 1;
    else if (bar >= YELLOW) yellow += 1;
  }
  return { metric, bars, red, yellow, sum };
}

/** Names come in order, and sorting keeps what is equal as it was. */
function mostAnomalousFirst(a: Ranked, b: Ranked): number {
  return b.red - a.red || b.yellow - a.yellow || b.sum - a.sum;
}
