import * as bulk from './bulk.ts';
import * as datasources from './datasources.ts';
import * as engine from './engine.ts';
import * as incidents from './incidents.ts';
import * as metrics from './metrics.ts';
import * as modelControl from './model-control.ts';
import * as modelDetails from './model-details.ts';
import * as models from './models.ts';
import type { Operation } from './operation.ts';
import * as ranking from './ranking.ts';
import * as retention from './retention.ts';
import * as samples from './samples.ts';

/** Every operation of `/api/v1`, in the order in which documents show them. */
export const OPERATIONS: readonly Operation[] = [
  metrics.listMetrics,
  ranking.rankMetrics,
  metrics.createMetric,
  metrics.getMetric,
  metrics.deleteMetric,
  metrics.renameMetric,
  metrics.getStatistics,
  metrics.readData,
  metrics.deleteRows,
  metrics.readBuckets,
  metrics.exportRows,
  modelDetails.getModel,
  modelDetails.getLikelihood,
  models.monitorMetric,
  models.unmonitorMetric,
  models.activateModel,
  modelControl.restartModel,
  modelControl.setLearning,
  modelControl.doNotLearn,
  modelControl.resetModel,
  models.cloneModel,
  datasources.createModel,
  models.exportModels,
  models.importModels,
  bulk.changeMany,
  datasources.listDatasources,
  datasources.listResources,
  incidents.listIncidents,
  incidents.acknowledgeSpans,
  incidents.listMutes,
  incidents.addMute,
  incidents.removeMute,
  incidents.listUsual,
  incidents.listAllUsual,
  incidents.callUsual,
  incidents.forgetUsual,
  samples.postSamples,
  samples.streamResults,
  retention.getRetention,
  retention.runRetention,
  retention.getMetricRetention,
  retention.setMetricRetention,
  engine.getStatus,
  engine.getDocument,
];
