import * as bulk from './bulk.ts';
import * as engine from './engine.ts';
import * as incidents from './incidents.ts';
import * as metrics from './metrics.ts';
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
  metrics.readBuckets,
  metrics.exportRows,
  models.getModel,
  models.monitorMetric,
  models.unmonitorMetric,
  models.activateModel,
  models.restartModel,
  models.cloneModel,
  models.exportModels,
  models.importModels,
  bulk.changeMany,
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
