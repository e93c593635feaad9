import type { FastifyInstance } from 'fastify';
import * as operations from '../contract/models.ts';
import { existing } from './input.ts';
import { metricJson } from './metric-json.ts';
import { route, silentRoute } from './route.ts';
import type { ApiServices } from './services.ts';

/** Models that come and go. */
export function modelRoutes(app: FastifyInstance, services: ApiServices): void {
  const { queries, control, logLikelihood } = services;
  const metric = async (name: string) => metricJson(await existing(queries, name), logLikelihood);

  route(app, operations.monitorMetric, async ({ params: { name }, body }) => {
    const { resource, unit, userInfo, completeModelParams, ...modelParams } = body;
    await control.monitorMetric({
      metricSpec: { metric: name, resource, unit, userInfo },
      ...(Object.keys(modelParams).length > 0 && { modelParams }),
      ...(completeModelParams !== undefined && { completeModelParams }),
    });
    return metric(name);
  });

  silentRoute(app, operations.unmonitorMetric, async ({ params: { name } }) => {
    const { metricId } = await existing(queries, name);
    await control.unmonitorMetric(metricId);
  });

  route(app, operations.activateModel, async ({ params: { name } }) => {
    const { metricId } = await existing(queries, name);
    await control.activateModel(metricId);
    return metric(name);
  });

  route(app, operations.cloneModel, async ({ params: { name }, body: { to, rows } }) => {
    const { metricId } = await existing(queries, name);
    await control.cloneModel(metricId, to, rows);
    return metric(to);
  });
}
