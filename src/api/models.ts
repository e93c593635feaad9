import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import * as operations from '../contract/models.ts';
import { HtmEngineError } from '../errors.ts';
import type { Json } from '../generation.ts';
import { statusName } from '../metric.ts';
import type { MetricSummary } from '../store/queries.ts';
import { existing } from './input.ts';
import { metricJson } from './metric-json.ts';
import { route, silentRoute } from './route.ts';
import type { ApiServices } from './services.ts';

/** Of a row with its scores, measured on SQLite with rows of many metrics in turn (82 when new); no database tells it of one metric. */
const ROW_BYTES = 100;

/** What is done to the model of one metric. */
export function modelRoutes(app: FastifyInstance, services: ApiServices): void {
  const { queries, control, logLikelihood } = services;
  const metric = async (name: string) => metricJson(await existing(queries, name), logLikelihood);

  route(app, operations.getModel, async ({ params: { name } }) => {
    return modelJson(await existing(queries, name), services);
  });

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

  route(app, operations.restartModel, async ({ params: { name }, body: { how } }) => {
    const { metricId } = await existing(queries, name);
    await control.restartModel(metricId, how);
    return metric(name);
  });

  route(app, operations.cloneModel, async ({ params: { name }, body: { to, rows } }) => {
    const { metricId } = await existing(queries, name);
    await control.cloneModel(metricId, to, rows);
    return metric(to);
  });
}

async function modelJson(metric: MetricSummary, { queries, checkpoints, checkpointBytes }: ApiServices) {
  const model = await queries.describeModel(metric.metricId);
  if (model === null) {
    throw new HtmEngineError(
      'metric_not_monitored',
      `metric ${JSON.stringify(metric.name)} is not monitored: PUT its model first`,
    );
  }
  const saved = await checkpoints(metric.metricId);
  return {
    name: metric.name,
    uid: metric.metricId,
    state: statusName(metric.status),
    message: metric.message,
    generation: model.generation,
    variant: variantOf(model.modelParams),
    range: model.range,
    resolution: model.resolution,
    startRowid: model.startRowid,
    processedRowid: model.processedRowid,
    scoredRowid: model.scoredRowid,
    backlogRowid: model.backlogRowid,
    learning: metric.learning,
    algorithmRevision: model.algorithmRevision,
    likelihood: model.likelihood,
    checkpoints: saved
      .filter(({ generation }) => generation === model.generation)
      .map(({ rowid }) => ({ rowid })),
    diskBytes: {
      rows: metric.rows * ROW_BYTES,
      checkpoints: await checkpointBytes(metric.metricId),
    },
    parameters: model.modelParams,
    spec: metric.spec === null ? null : (JSON.parse(metric.spec) as unknown),
  };
}

/** Which temporal memory the parameters ask for, or null where they do not tell. */
function variantOf(modelParams: Json | null): string | null {
  const told = z.object({ memory: z.object({ variant: z.string() }) }).safeParse(modelParams);
  return told.success ? told.data.memory.variant : null;
}
