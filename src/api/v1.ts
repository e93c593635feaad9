import type { FastifyInstance } from 'fastify';
import { getDocument } from '../contract/engine.ts';
import { OPERATIONS } from '../contract/operations.ts';
import { HtmEngineError } from '../errors.ts';
import { bulkRoutes } from './bulk.ts';
import { datasourceRoutes } from './datasources.ts';
import { docsRoutes } from './docs-page.ts';
import type { EventStreams } from './event-streams.ts';
import { incidentRoutes } from './incidents.ts';
import type { LiveResults } from './live-results.ts';
import { metricRoutes } from './metrics.ts';
import { modelControlRoutes } from './model-control.ts';
import { modelRoutes } from './models.ts';
import { openApiDocument } from './openapi.ts';
import { rankingRoutes } from './ranking.ts';
import { RecentLikelihoods } from './recent-likelihoods.ts';
import { retentionRoutes } from './retention.ts';
import { resultRoutes } from './results.ts';
import { route } from './route.ts';
import type { BodyLimits } from './sample-body.ts';
import { rowRoutes } from './rows.ts';
import { sampleRoutes } from './samples.ts';
import type { ApiServices } from './services.ts';
import { statusRoutes } from './status.ts';
import { transferRoutes } from './transfer.ts';

export interface V1Options extends BodyLimits {
  /** Metrics whose recent scores are kept in memory. */
  readonly recentMetrics: number;
}

/** The JSON interface: the operations of src/contract. */
export function v1Routes(
  app: FastifyInstance,
  services: ApiServices,
  live: LiveResults,
  streams: EventStreams,
  { recentMetrics, ...limits }: V1Options,
): void {
  const { queries, logLikelihood, version } = services;
  const strips = new RecentLikelihoods({ queries, live, logLikelihood, maxMetrics: recentMetrics });
  metricRoutes(app, services, strips);
  rowRoutes(app, services);
  rankingRoutes(app, queries);
  modelRoutes(app, services);
  modelControlRoutes(app, services);
  transferRoutes(app, services);
  datasourceRoutes(app, services);
  bulkRoutes(app, services);
  incidentRoutes(app, services);
  retentionRoutes(app, services);
  sampleRoutes(app, services, limits);
  resultRoutes(app, services, live, streams);
  statusRoutes(app, services);
  const document = openApiDocument(version);
  route(app, getDocument, () => Promise.resolve({ ...document }));
  docsRoutes(app, document);
  refuseOthers(app);
}

/** What begins with /api and is no operation. */
function refuseOthers(app: FastifyInstance): void {
  for (const path of new Set(OPERATIONS.map((operation) => operation.path))) {
    const taken = OPERATIONS.filter((operation) => operation.path === path).map(({ method }) => method);
    app.route({
      method: (['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'] as const).filter(
        (method) => !(taken as readonly string[]).includes(method),
      ),
      url: path.replaceAll(/\{(\w+)\}/g, ':$1'),
      handler: (request) => {
        throw new HtmEngineError(
          'method_not_allowed',
          `${path} takes ${taken.join(', ')}, not ${request.method}`,
          {
            allow: taken.join(', '),
          },
        );
      },
    });
  }
  app.all('/api/v1/*', (request) => {
    throw new HtmEngineError(
      'unknown_route',
      `there is no ${request.method} ${request.url}: see /api/v1/openapi.json`,
    );
  });
  app.all('/api/*', (request) => {
    throw new HtmEngineError(
      'reserved_name',
      `there is no ${request.method} ${request.url}; names that begin with api/ are reserved`,
    );
  });
}
