import type { FastifyInstance } from 'fastify';
import { streamResults } from '../contract/samples.ts';
import type { InputOf } from '../contract/operation.ts';
import { existing } from './input.ts';
import type { EventStreams } from './event-streams.ts';
import type { LiveResults } from './live-results.ts';
import { MetricResults, RingResults, type ResultSource } from './result-sources.ts';
import { rawRoute } from './route.ts';
import type { ApiServices } from './services.ts';

/** The live stream: results as they are scored, as server-sent events. */
export function resultRoutes(
  app: FastifyInstance,
  { queries, readResults }: Pick<ApiServices, 'queries' | 'readResults'>,
  live: LiveResults,
  streams: EventStreams,
): void {
  async function open(query: InputOf<typeof streamResults>['query'], lastEventId: string | undefined) {
    const { metric: names, minLogLikelihood } = query;
    const metrics = await Promise.all(names.map((name) => existing(queries, name)));
    // Before the position is taken, so that nothing is scored unseen in between.
    await live.open();
    const [only] = metrics;
    if (only !== undefined && metrics.length === 1) {
      return MetricResults.open(only, readResults, minLogLikelihood, lastEventId);
    }
    return new RingResults(live.ring, { names: new Set(names), minLogLikelihood }, lastEventId);
  }

  rawRoute(app, streamResults, async ({ query }, request, reply) => {
    streams.checkCapacity();
    const header = request.headers['last-event-id'];
    const source: ResultSource = await open(query, typeof header === 'string' ? header : query.lastEventId);
    return streams.send(reply, source);
  });
}
