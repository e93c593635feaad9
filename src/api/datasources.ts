import type { FastifyInstance } from 'fastify';
import * as operations from '../contract/datasources.ts';
import type { ModelSpec } from '../monitoring/model-spec.ts';
import { route } from './route.ts';
import type { ApiServices } from './services.ts';

/** What goes through the adapter of a datasource. */
export function datasourceRoutes(
  app: FastifyInstance,
  { datasources }: Pick<ApiServices, 'datasources'>,
): void {
  route(app, operations.createModel, async ({ body }) => {
    const { datasource } = body;
    const adapter = datasources.create(datasource);
    // The adapter checks what is in it.
    return { datasource, uid: await adapter.monitorMetric(body as ModelSpec) };
  });

  route(app, operations.listDatasources, () => Promise.resolve({ datasources: datasources.names() }));

  route(app, operations.listResources, async ({ params: { datasource }, query: { query } }) => ({
    resources: [...(await datasources.create(datasource).getMatchingResources(jsonOrText(query)))],
  }));
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
