import type { FastifyInstance } from 'fastify';
import * as control from '../contract/model-control.ts';
import * as details from '../contract/model-details.ts';
import { statusName, type TimeRange } from '../metric.ts';
import type { ModelCommand } from '../model-command.ts';
import type { ModelReport } from '../monitoring/model-report.ts';
import { existing } from './input.ts';
import { metricJson } from './metric-json.ts';
import { route } from './route.ts';
import type { ApiServices } from './services.ts';

/** What is told of a model that exists, and done to it. */
export function modelControlRoutes(
  app: FastifyInstance,
  { queries, models, reports, logLikelihood }: ApiServices,
): void {
  const model = async (name: string) => modelJson(await reports.describe(name));

  route(app, details.getModel, ({ params: { name } }) => model(name));

  route(app, details.getLikelihood, async ({ params: { name } }) => {
    const { metricId, distribution, histogram, ...report } = await reports.likelihood(name);
    return {
      ...report,
      uid: metricId,
      distribution: distribution && { ...distribution, recentScores: [...distribution.recentScores] },
      histogram: { ...histogram, counts: [...histogram.counts] },
    };
  });

  route(app, control.restartModel, async ({ params: { name }, body: { how, without, generation } }) => {
    const { metricId } = await existing(queries, name);
    await models.restart(metricId, how, {
      ...(without !== undefined && { leaveOut: without.map(timeRange), keepLeftOut: false }),
      ...(generation !== undefined && { generation }),
    });
    return metricJson(await existing(queries, name), logLikelihood);
  });

  route(app, control.setLearning, async ({ params: { name }, body: { on } }) => {
    const { metricId } = await existing(queries, name);
    await models.change(metricId, { what: 'learning', on });
    return model(name);
  });

  route(app, control.doNotLearn, async ({ params: { name }, body: { relearn, ...times } }) => {
    const { metricId } = await existing(queries, name);
    await models.doNotLearn(metricId, timeRange(times), relearn);
    return model(name);
  });

  route(app, control.resetModel, async ({ params: { name } }) => {
    const { metricId } = await existing(queries, name);
    await models.change(metricId, { what: 'reset' });
    return model(name);
  });
}

function timeRange({ from, to }: { readonly from: number; readonly to: number }): TimeRange {
  return { fromTimestamp: from, toTimestamp: to };
}

function modelJson({ metricId, status, leftOut, commands, distribution, ...report }: ModelReport) {
  return {
    ...report,
    uid: metricId,
    state: statusName(status),
    restarts: [...report.restarts],
    leftOut: leftOut.map(interval),
    commands: commands.map(commandJson),
    distribution: distribution && { ...distribution, recentScores: [...distribution.recentScores] },
    checkpoints: [...report.checkpoints],
  };
}

function commandJson({ sequence, afterRowid, change }: ModelCommand) {
  const told = { sequence, afterRowid, what: change.what };
  switch (change.what) {
    case 'learning':
      return { ...told, on: change.on };
    case 'doNotLearn':
      return { ...told, ...interval(change) };
    case 'reset':
    case 'skip':
      return told;
  }
}

function interval({ fromTimestamp, toTimestamp }: TimeRange) {
  return { from: fromTimestamp, to: toTimestamp };
}
