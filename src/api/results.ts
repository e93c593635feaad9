import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { existing, parseQuery } from './input.ts';
import type { EventStreams } from './event-streams.ts';
import type { LiveResults } from './live-results.ts';
import { MetricResults, RingResults, type ResultSource } from './result-sources.ts';
import type { ApiServices } from './services.ts';

/** Names in one request. */
const MAX_NAMES = 100;

const resultsQuery = z.strictObject({
  metric: z.union([z.string().transform((name) => [name]), z.array(z.string()).max(MAX_NAMES)]).default([]),
  minLogLikelihood: z.coerce.number().min(0).max(1).default(0),
  lastEventId: z.string().max(256).optional(),
});

/** The live stream: results as they are scored, as server-sent events. */
export function resultRoutes(
  app: FastifyInstance,
  { queries, readResults }: Pick<ApiServices, 'queries' | 'readResults'>,
  live: LiveResults,
  streams: EventStreams,
): void {
  async function open(query: z.output<typeof resultsQuery>, lastEventId: string | undefined) {
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

  app.get('/api/v1/results', { exposeHeadRoute: false }, async (request, reply) => {
    const query = parseQuery(resultsQuery, request.query);
    streams.checkCapacity();
    const header = request.headers['last-event-id'];
    const source: ResultSource = await open(query, typeof header === 'string' ? header : query.lastEventId);
    return streams.send(reply, source);
  });
}
