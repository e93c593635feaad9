import type { Result } from '../metric.ts';

/** The JSON text of a result as clients see it: one line. */
export function resultData({ metricId, ...result }: Result): string {
  const { name, ...others } = result;
  return JSON.stringify({ name, uid: metricId, ...others });
}
