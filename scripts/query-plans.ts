/** `npm run query-plans`: writes docs/query-plans.md anew. Needs the test servers (docs/stores.md). */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PLAN_KINDS } from '../test/support/plan-databases.ts';
import { queryPlans, type PlannedStatement } from '../test/support/query-plans.ts';

const FILE = join(import.meta.dirname, '../docs/query-plans.md');
/** A statement with a list of values goes on and on. */
const LONGEST_STATEMENT = 900;

const parts = [];
for (const kind of PLAN_KINDS) parts.push(section(kind, await queryPlans(kind)));
await writeFile(FILE, `${introduction()}\n${parts.join('\n')}`);

function introduction(): string {
  return `# Query plans

Written by \`npm run query-plans\`: the statements that the store sends most, under the operation that sends each first, and how each database goes about them. The database holds
10,000 monitored metrics with 12 rows each, some to be processed, scored and published. MariaDB and PostgreSQL have statistics and explain
each statement with the values that it was sent with; SQLite has no statistics, as in use. What is only inserted has no plan in SQLite and is left out there.

\`test/conformance/store-plans.test.ts\` checks that none reads a large table from end to end, or says which and why.
`;
}

function section(kind: string, planned: readonly PlannedStatement[]): string {
  const explained = planned.filter(({ lines }) => lines.length > 0);
  const byOperation = Map.groupBy(explained, ({ operation }) => operation);
  const operations = [...byOperation].map(
    ([operation, statements]) => `### ${operation} (${kind})\n\n${statements.map(described).join('\n')}`,
  );
  return `## ${kind}\n\n${operations.join('\n')}`;
}

function described({ statement, lines }: PlannedStatement): string {
  const text = statement.replaceAll(/\s+/g, ' ');
  const cut = text.length > LONGEST_STATEMENT ? `${text.slice(0, LONGEST_STATEMENT)} ...` : text;
  return ['```sql', cut, '```', '', '```text', ...lines, '```', ''].join('\n');
}
