import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import type { ExchangeMessage } from '../bus/original.ts';
import type { Metric, Result } from '../metric.ts';
import type { ModelEvent } from '../store/outbox.ts';

/** The original's messages on the results exchange: system reference, 1.5 (e) and (f). All bodies are zlib(JSON). */

const compress = promisify(deflate);

/** Says which of a metric's generations the message is about; the original had none. */
const GENERATION_HEADER = 'generation';
/** The original's code for a model that failed (system reference, 9.7). */
const FAILED_STATUS = 1;

/** (e): results of one metric and one generation, in rowid order. `metric` is monitored. */
export async function inferenceMessage(
  metric: Metric,
  parameters: string,
  results: readonly Result[],
): Promise<ExchangeMessage> {
  const { metricSpec } = JSON.parse(parameters) as { metricSpec: unknown };
  const { metricId, name, description, server, location, datasource } = metric;
  return message(
    {
      metric: {
        uid: metricId,
        name,
        description,
        resource: server,
        location,
        datasource,
        spec: metricSpec,
      },
      results: results.map((result) => ({
        rowid: result.rowid,
        ts: result.timestamp,
        value: result.value,
        rawAnomaly: result.rawAnomalyScore,
        anomaly: result.anomalyScore,
        multiStepBestPredictions: result.multiStepBestPredictions,
      })),
    },
    { [GENERATION_HEADER]: results[0]?.generation ?? 0 },
  );
}

/** (f): a model was built or deleted, or it failed. */
export async function commandMessage(event: ModelEvent): Promise<ExchangeMessage> {
  const { kind, metricId, eventId, metricName, resource, modelSpec } = event;
  return message(
    {
      method: kind === 'deleted' ? 'deleteModel' : 'defineModel',
      modelId: metricId,
      commandId: eventId,
      status: kind === 'failed' ? FAILED_STATUS : 0,
      errorMessage: kind === 'failed' ? (event.message ?? '') : null,
      ...(kind === 'built' && {
        modelInfo: { metricName, resource, modelSpec: JSON.parse(modelSpec ?? '{}') as unknown },
      }),
    },
    { dataType: 'model-cmd-result', [GENERATION_HEADER]: event.generation },
  );
}

async function message(content: object, headers: ExchangeMessage['headers']): Promise<ExchangeMessage> {
  return { body: await compress(JSON.stringify(content)), headers };
}
