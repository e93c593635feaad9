import { HtmEngineError } from '../../errors.ts';
import { CUSTOM_DATASOURCE } from '../../metric.ts';
import { requireMetric } from './metrics.ts';
import type { Db } from './session.ts';

/** See `Catalogue.renameMetric`. */
export async function renameMetric(db: Db, metricId: string, name: string): Promise<void> {
  const { name: before } = await requireMetric(db, metricId);
  if (before === name) return;
  const other = await db
    .selectFrom('metric')
    .select('uid')
    .where('datasource', '=', CUSTOM_DATASOURCE)
    .where('name', '=', name)
    .executeTakeFirst();
  if (other !== undefined) {
    throw new HtmEngineError('metric_already_exists', `there is a metric ${JSON.stringify(name)} already`, {
      metricId: other.uid,
    });
  }
  const { parameters, server, description } = await db
    .selectFrom('metric')
    .select(['parameters', 'server', 'description'])
    .where('uid', '=', metricId)
    .executeTakeFirstOrThrow();
  await db
    .updateTable('metric')
    .set({
      name,
      ...(parameters !== null && { parameters: renamed(parameters, name) }),
      // What was made of the old name is made of the new one.
      ...(server === before && { server: name }),
      ...(description === `Custom metric ${before}` && { description: `Custom metric ${name}` }),
    })
    .where('uid', '=', metricId)
    .execute();
  const generation = await db
    .selectFrom('generation')
    .select(['generation', 'spec'])
    .where('uid', '=', metricId)
    .where('state', '!=', 'closed')
    .executeTakeFirst();
  if (generation === undefined) return;
  await db
    .updateTable('generation')
    .set({ spec: renamed(generation.spec, name) })
    .where('uid', '=', metricId)
    .where('generation', '=', generation.generation)
    .execute();
}

/** A canonical spec with another name in it, its keys in their order. */
function renamed(spec: string, name: string): string {
  const parsed = JSON.parse(spec) as { readonly metricSpec: object };
  return JSON.stringify({ ...parsed, metricSpec: { ...parsed.metricSpec, metric: name } });
}
