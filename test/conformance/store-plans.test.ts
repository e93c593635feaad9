import { beforeAll, describe, expect, it } from 'vitest';
import { missingServer } from '../support/database-servers.ts';
import { PLAN_KINDS } from '../support/plan-databases.ts';
import { queryPlans, type PlannedStatement } from '../support/query-plans.ts';

/** They have few rows however many metrics there are, or hold only what is under way: an index is no gain. */
const SMALL_TABLES = new Set(['lease', 'installation', 'model_command', 'result_clearing']);
/** One row a metric, or a few: what may be gone through, and why. */
const MAY_SCAN: Readonly<Record<string, readonly string[]>> = {
  // Backwards by the index of times, until there are enough.
  'people: newest spans': ['anomaly_span'],
  // MariaDB finds the datasource by the index and goes through its names up to the first that is asked for.
  'people: the list of metrics': ['metric'],
  // PostgreSQL joins watermarks and cursors as a whole: what a sweep looks for is in a comparison of two columns.
  'sweep: metrics to publish': ['anomaly_watermark', 'cursor'],
};
/** What only an index other than a primary key can find. Its name in the plan; SQLite calls those of constraints its own way. */
const INDEXES: readonly (readonly [operation: string, index: RegExp])[] = [
  ['T0, rows of known metrics', /metric_datasource_name_unique|sqlite_autoindex_metric_2/],
  ['sweep: metrics to activate', /generation_state_idx/],
  ['people: newest spans', /anomaly_span_newest_idx/],
  ['people: spans in a time', /anomaly_span_newest_idx/],
];

for (const kind of PLAN_KINDS) {
  const missing = kind === 'sqlite' ? null : await missingServer(kind);
  describe.skipIf(missing !== null)(`plans of the ${kind} store with 10,000 metrics`, () => {
    let planned: readonly PlannedStatement[];
    beforeAll(async () => {
      planned = await queryPlans(kind);
    }, 120_000);

    it('read no large table from end to end', () => {
      // Every operation but the shortest sends statements that were not sent before it.
      expect(planned.length).toBeGreaterThan(30);
      const scans = planned.flatMap(({ operation, statement, scanned }) =>
        scanned
          .filter((table) => !SMALL_TABLES.has(table) && !(MAY_SCAN[operation] ?? []).includes(table))
          .map((table) => ({ operation, table, statement })),
      );
      expect(scans).toEqual([]);
    });

    it.each(INDEXES)('%s: by the index that is meant for it', (operation, index) => {
      const plans = planned.filter((one) => one.operation === operation).map(({ lines }) => lines.join('\n'));
      expect(plans.some((plan) => index.test(plan))).toBe(true);
    });
  });
}
