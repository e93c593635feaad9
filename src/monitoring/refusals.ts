import { HtmEngineError } from '../errors.ts';

export function notMonitored(metricId: string): HtmEngineError {
  return new HtmEngineError('metric_not_monitored', `metric ${metricId} is not monitored: monitor it first`);
}

export function notFound(message: string): HtmEngineError {
  return new HtmEngineError('metric_not_found', message);
}
