import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { EXPORT_FORMAT, EXPORT_VERSION, exportModels, importModels } from '../contract/models.ts';
import { HtmEngineError } from '../errors.ts';
import { existing } from './input.ts';
import { httpStatus } from './problems.ts';
import { route } from './route.ts';
import type { ApiServices } from './services.ts';

const PAGE_METRICS = 1000;

/** Only to say which spec a result is about: what a spec must be is checked with it. */
const named = z.object({ metricSpec: z.object({ metric: z.string() }) });

/** Model specs of many metrics at once, out of the engine and into it. */
export function transferRoutes(
  app: FastifyInstance,
  { queries, importModel, exportModel }: Pick<ApiServices, 'queries' | 'importModel' | 'exportModel'>,
): void {
  async function allSpecs(): Promise<string[]> {
    const specs: string[] = [];
    for (let after: string | undefined = ''; after !== undefined;) {
      const page = await queries.listMetrics(after, PAGE_METRICS);
      for (const { spec } of page) if (spec !== null) specs.push(spec);
      after = page.length === PAGE_METRICS ? page.at(-1)?.name : undefined;
    }
    return specs;
  }

  async function specOf(name: string): Promise<string> {
    const { spec } = await existing(queries, name);
    if (spec !== null) return spec;
    throw new HtmEngineError(
      'metric_not_monitored',
      `metric ${JSON.stringify(name)} is not monitored: there is no model to export`,
    );
  }

  /** One after the other, so that the rows of few are in memory at the same time as they are read. */
  async function withRows(names: readonly string[] | undefined): Promise<unknown[]> {
    if (names === undefined) {
      throw new HtmEngineError(
        'invalid_argument',
        'query parameter data: rows are only given of metrics that are named: give name',
      );
    }
    const models: unknown[] = [];
    for (const name of names) {
      const { metricId } = await existing(queries, name);
      models.push(await exportModel(metricId));
    }
    return models;
  }

  async function specsAlone(names: readonly string[] | undefined): Promise<unknown[]> {
    const specs = await (names === undefined ? allSpecs() : Promise.all(names.map(specOf)));
    return specs.map((spec) => JSON.parse(spec) as unknown);
  }

  route(app, exportModels, async ({ query: { name: names, data } }) => ({
    format: EXPORT_FORMAT,
    version: EXPORT_VERSION,
    models: await (data === 'true' ? withRows(names) : specsAlone(names)),
  }));

  route(app, importModels, async ({ body: specs }) => {
    const results = [];
    for (const spec of specs) results.push(await importOne(spec));
    return { results };
  });

  /** One spec that is refused is told and does not keep the others out; a fault of ours ends the whole. */
  async function importOne(spec: unknown) {
    const read = named.safeParse(spec);
    const name = read.success ? read.data.metricSpec.metric : null;
    try {
      const { metricId, outcome } = await importModel(spec);
      return { name, uid: metricId, outcome };
    } catch (error) {
      if (!(error instanceof HtmEngineError) || httpStatus(error) >= 500) throw error;
      return { name, uid: null, outcome: 'refused' as const, code: error.code, message: error.message };
    }
  }
}
