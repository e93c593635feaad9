import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { HtmEngineError } from '../errors.ts';
import type { Json } from '../generation.ts';
import { statusName } from '../metric.ts';
import type { MetricSummary } from '../store/queries.ts';
import { bodyJson, existing, type NamedPath, parseBody } from './input.ts';
import { metricJson } from './metric-json.ts';
import type { ApiServices } from './services.ts';

/** Keys of `PUT .../model` that belong to the metric and not to its model. */
const METRIC_KEYS = new Set(['resource', 'unit', 'userInfo']);

/** Of a row with its scores, measured on SQLite with rows of many metrics in turn (82 when new); no database tells it of one metric. */
const ROW_BYTES = 100;

const restart = z.strictObject({ how: z.enum(['retry', 'skip', 'relearn']) });
const clone = z.strictObject({ to: z.string(), rows: z.boolean().default(true) });

/** What is done to the model of one metric. */
export function modelRoutes(app: FastifyInstance, services: ApiServices): void {
  const { queries, control, logLikelihood } = services;
  const metric = async (name: string) => metricJson(await existing(queries, name), logLikelihood);

  app.get<NamedPath>('/api/v1/metrics/:name/model', async (request) => {
    return modelJson(await existing(queries, request.params.name), services);
  });

  app.put<NamedPath>('/api/v1/metrics/:name/model', async (request, reply) => {
    const { name } = request.params;
    await control.monitorMetric(specOf(name, request.body));
    return reply.code(201).send(await metric(name));
  });

  app.delete<NamedPath>('/api/v1/metrics/:name/model', async (request, reply) => {
    const { metricId } = await existing(queries, request.params.name);
    await control.unmonitorMetric(metricId);
    return reply.code(204).send();
  });

  app.post<NamedPath>('/api/v1/metrics/:name/model/activate', async (request) => {
    const { metricId, name } = await existing(queries, request.params.name);
    await control.activateModel(metricId);
    return metric(name);
  });

  app.post<NamedPath>('/api/v1/metrics/:name/model/restart', async (request) => {
    const { how } = parseBody(restart, request.body);
    const { metricId, name } = await existing(queries, request.params.name);
    await control.restartModel(metricId, how);
    return metric(name);
  });

  app.post<NamedPath>('/api/v1/metrics/:name/model/clone', async (request, reply) => {
    const { to, rows } = parseBody(clone, request.body);
    const { metricId } = await existing(queries, request.params.name);
    await control.cloneModel(metricId, to, rows);
    return reply.code(201).send(await metric(to));
  });
}

/** The model spec that a body of options asks for. What its values must be is checked with the spec. */
function specOf(name: string, body: unknown): unknown {
  const options = z.record(z.string(), z.unknown()).safeParse(bodyJson(body));
  if (!options.success) {
    throw new HtmEngineError(
      'invalid_request_body',
      'the body must be a JSON object such as {"min": 0, "max": 100}, or empty for a range learned from the data',
    );
  }
  const entries = Object.entries(options.data);
  const ofMetric = entries.filter(([key]) => METRIC_KEYS.has(key));
  const ofModel = entries.filter(([key]) => !METRIC_KEYS.has(key));
  return {
    metricSpec: { metric: name, ...Object.fromEntries(ofMetric) },
    ...(ofModel.length > 0 && { modelParams: Object.fromEntries(ofModel) }),
  };
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
