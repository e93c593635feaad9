import { HtmEngineError } from './errors.ts';
import { generationRequest, type ModelSettings } from './monitoring/generation-request.ts';
import { checkModelSpec } from './monitoring/model-spec.ts';
import type { OriginalInstallation } from './open-store.ts';
import type { Catalogue } from './store/catalogue.ts';
import type { OriginalModel, TablesOutcome } from './store/original.ts';

/** What an upgrade did. */
export interface UpgradeOutcome extends TablesOutcome {
  /** Models whose generation is open, or waits for rows: an engine makes them learn from all stored rows. */
  readonly monitored: number;
  /** Models that the original had and we cannot have. Their metrics and rows are there. */
  readonly refused: readonly { readonly name: string; readonly reason: string }[];
}

/** How far an upgrade is: first the rows of each metric, then each model. */
export interface UpgradeStep {
  readonly what: 'rows' | 'models';
  readonly done: number;
  readonly inAll: number;
}

/**
 * Turns a database of the original's into one of ours: tables, then a new generation for each metric that was
 * monitored. Cut short anywhere it goes on when called again. The caller closes `installation.database`.
 * @throws HtmEngineError `store_not_ours` (nothing was changed), `store_unavailable`
 */
export async function upgradeOriginal(
  { database, openStore }: OriginalInstallation,
  settings: ModelSettings,
  onProgress: (step: UpgradeStep) => void,
): Promise<UpgradeOutcome> {
  const tables = await database.upgradeTables(({ metrics, metricsInAll }) => {
    onProgress({ what: 'rows', done: metrics, inAll: metricsInAll });
  });
  const store = await openStore();
  try {
    const models = await database.models();
    const refused: { name: string; reason: string }[] = [];
    for (const [index, model] of models.entries()) {
      const reason = await monitor(store.catalogue, model, settings);
      if (reason !== null) refused.push({ name: model.name, reason });
      await database.done(model.metricId);
      onProgress({ what: 'models', done: index + 1, inAll: models.length });
    }
    await database.finish();
    return { ...tables, monitored: models.length - refused.length, refused };
  } finally {
    await store.close();
  }
}

/** @returns why the metric cannot be monitored, or null. */
async function monitor(
  catalogue: Pick<Catalogue, 'getMetric' | 'monitor'>,
  { metricId, parameters }: OriginalModel,
  settings: ModelSettings,
): Promise<string | null> {
  const metric = await catalogue.getMetric(metricId);
  if (metric === null) return 'it is not there any more';
  try {
    const spec = checkModelSpec(parsed(parameters));
    await catalogue.monitor(metricId, generationRequest(spec, metric.name, settings));
    return null;
  } catch (error) {
    if (!(error instanceof HtmEngineError)) throw error;
    // Of an upgrade that was cut short just after this.
    if (error.code === 'metric_already_monitored') return null;
    if (!REFUSALS.has(error.code)) throw error;
    return error.message;
  }
}

/** What is wrong with a spec, as opposed to the store. */
const REFUSALS: ReadonlySet<string> = new Set(['invalid_argument', 'invalid_range', 'invalid_metric_name']);

function parsed(parameters: string | null): unknown {
  try {
    return JSON.parse(parameters ?? 'null');
  } catch {
    throw new HtmEngineError('invalid_argument', 'its parameters are not JSON');
  }
}
