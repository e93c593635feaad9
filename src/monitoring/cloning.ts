import type { MetricStatus } from '../metric.ts';
import type { Catalogue } from '../store/catalogue.ts';

/** Rows of one transaction. */
const BATCH_ROWS = 5_000;

/**
 * Makes metric `name` a copy of a monitored one: the same frozen parameters and, with `rows`, the same rows, from
 * which its model learns the same. Nobody sees it before it is complete; one that cannot be is taken away again.
 * @throws what `Catalogue.beginCopy`, `copyRows` and `finishCopy` throw
 */
export async function cloneMetric(
  catalogue: Pick<Catalogue, 'beginCopy' | 'copyRows' | 'finishCopy' | 'abandonCopies' | 'removeDiscarded'>,
  metricId: string,
  name: string,
  rows: boolean,
): Promise<{ metricId: string; status: MetricStatus }> {
  const copy = await catalogue.beginCopy(metricId);
  try {
    while (rows && (await catalogue.copyRows(copy, BATCH_ROWS)));
    return { metricId: copy.copyId, status: await catalogue.finishCopy(copy, name) };
  } catch (error) {
    // If even this fails the next start finds it.
    await catalogue.abandonCopies(copy.copyId).catch(() => undefined);
    while (await catalogue.removeDiscarded(BATCH_ROWS).catch(() => false));
    throw error;
  }
}
