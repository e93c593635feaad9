import { sql, type Kysely } from 'kysely';
import { HtmEngineError } from '../../../errors.ts';
import { checkName } from '../../../metric.ts';
import type { Renaming } from '../../original.ts';
import type { Schema } from '../../sql/schema.ts';

/** A metric of the original's, as far as names go. */
export interface OriginalName {
  readonly uid: string;
  readonly datasource: string | null;
  readonly name: string | null;
}

const SHOWN_PROBLEMS = 20;
/** Saved models are named by it. */
const METRIC_ID = /^[0-9a-f]{32}$/;

/** @throws HtmEngineError `store_not_ours` naming the metrics that cannot be taken over as they are. */
export function checkNames(metrics: readonly OriginalName[], where: string): void {
  const seen = new Set<string>();
  const problems: string[] = [];
  for (const { uid, datasource, name } of metrics) {
    const key = JSON.stringify([datasource, name]);
    if (!METRIC_ID.test(uid)) problems.push(`metric ${uid} has an id that is not 32 hex digits`);
    if (datasource === null || name === null) problems.push(`metric ${uid} has no name or no datasource`);
    else if (checkName(name) !== null) problems.push(`metric ${uid} has the name ${JSON.stringify(name)}`);
    else if (seen.has(key)) problems.push(`metric ${uid} has the name of another, ${JSON.stringify(name)}`);
    seen.add(key);
  }
  if (problems.length === 0) return;
  const more = problems.length - SHOWN_PROBLEMS;
  throw new HtmEngineError(
    'store_not_ours',
    `${where} has metrics that cannot be taken over: ${problems.slice(0, SHOWN_PROBLEMS).join('; ')}${
      more > 0 ? `; and ${more} more` : ''
    }. Names have 1 to 255 characters, none of them a control character, and are unique: rename or delete these first (nothing was changed)`,
  );
}

/** `/name` becomes `name`, unless a metric of the same datasource has that name already. */
export function renamingOf(metrics: readonly OriginalName[]): Renaming {
  const taken = new Set(metrics.map(({ datasource, name }) => JSON.stringify([datasource, name])));
  const renamed: { uid: string; from: string; to: string }[] = [];
  const kept: string[] = [];
  for (const { uid, datasource, name } of metrics) {
    if (name?.startsWith('/') !== true) continue;
    const to = name.slice(1);
    const key = JSON.stringify([datasource, to]);
    if (checkName(to) !== null || taken.has(key)) kept.push(name);
    else {
      taken.add(key);
      renamed.push({ uid, from: name, to });
    }
  }
  return { renamed, kept };
}

/** All metrics, in the order of their names' bytes. */
export async function readNames(db: Kysely<Schema>): Promise<OriginalName[]> {
  const { rows } =
    await sql<OriginalName>`select uid, datasource, name from metric order by binary name, uid`.execute(db);
  return rows;
}
