import { HtmEngineError } from '../errors.ts';
import type { MetricSummary, Queries } from '../store/queries.ts';

/** The body as JSON; `{}` if there is none. @throws HtmEngineError `invalid_request_body` */
export function bodyJson(body: unknown): unknown {
  const text = bodyText(body);
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new HtmEngineError('invalid_request_body', 'the body is not JSON');
  }
}

/** @throws HtmEngineError `invalid_request_body` unless it is UTF-8 */
export function bodyText(body: unknown): string {
  if (!Buffer.isBuffer(body)) return '';
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new HtmEngineError('invalid_request_body', 'the body is not UTF-8 text');
  }
}

/** The metric of that name. @throws HtmEngineError `metric_not_found` */
export async function existing(
  queries: Pick<Queries, 'describeMetric'>,
  name: string,
): Promise<MetricSummary> {
  const metric = await queries.describeMetric(name);
  if (metric !== null) return metric;
  throw new HtmEngineError('metric_not_found', `there is no metric ${JSON.stringify(name)}`);
}
