import { join } from 'node:path';
import Database from 'better-sqlite3';
import { openServerStore } from '../../src/open-store.ts';
import { openDatabase } from '../../src/store/sqlite/database.ts';
import { sqliteDialect } from '../../src/store/sqlite/dialect.ts';
import { GroupCommitSession } from '../../src/store/sqlite/group-commit.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { sqlStore } from '../../src/store/sql/store.ts';
import type { Store } from '../../src/store/store.ts';
import { createDatabase, type ServerKind } from './database-servers.ts';
import { temporaryDirectory } from './engine-process.ts';
import { StatementTap, type SentStatement } from './statement-tap.ts';

export const PLAN_KINDS = ['sqlite', 'mysql', 'postgres'] as const;
export type PlanKind = (typeof PLAN_KINDS)[number];

/** How a database goes about a statement. */
export interface Plan {
  /** As the database describes it. */
  readonly lines: readonly string[];
  /** Tables that are read from one end to the other, or an index of theirs, or the metrics by what all have in common. */
  readonly scanned: readonly string[];
}

/** A database whose statements are kept and can be explained. */
export interface PlanDatabase {
  /** Runs plain SQL. */
  readonly execute: (statement: string) => Promise<Record<string, unknown>[]>;
  /** Opens the store for filling it, past the eyes of whoever keeps statements. */
  readonly openToFill: () => Promise<Store>;
  /** Opens the store whose statements are kept. */
  readonly open: () => Promise<Pick<Store, 'log' | 'catalogue' | 'queries' | 'incidents'>>;
  /** What was sent since it was opened: the first of each kind. */
  readonly sent: () => readonly SentStatement[];
  readonly explain: (statement: SentStatement) => Promise<Plan>;
  readonly remove: () => Promise<void>;
}

/** An empty database. */
export function makePlanDatabase(kind: PlanKind): Promise<PlanDatabase> {
  return kind === 'sqlite' ? makeSqlite() : makeServer(kind);
}

const OPTIONS = { maxConnections: 2, statementTimeoutMs: 60_000 };

async function makeServer(kind: ServerKind): Promise<PlanDatabase> {
  const database = await createDatabase(kind);
  const { tap, url } = await StatementTap.start(kind, database.url);
  const execute = (statement: string) => database.execute(statement);
  let store: Store | undefined;
  return {
    execute,
    openToFill: () => openServerStore(database.url, undefined, OPTIONS),
    open: async () => (store = await openServerStore(url, undefined, OPTIONS)),
    sent: () => [...tap.statements.values()],
    explain: (statement) =>
      kind === 'mysql' ? explainMysql(execute, statement) : explainPostgres(execute, statement),
    async remove() {
      await store?.close();
      await tap.stop();
      await database.drop();
    },
  };
}

/** Past the store's thread, so that what is prepared can be seen. */
async function makeSqlite(): Promise<PlanDatabase> {
  const directory = await temporaryDirectory();
  const path = join(directory.path, 'plans.db');
  const sent = new Map<string, SentStatement>();
  let opened: Database.Database | undefined;
  return {
    execute(statement) {
      const database = new Database(path);
      const prepared = database.prepare<[], Record<string, unknown>>(statement);
      const rows = prepared.reader ? prepared.all() : [];
      if (!prepared.reader) prepared.run();
      database.close();
      return Promise.resolve(rows);
    },
    openToFill: () => openSqliteStore({ path, busyTimeoutMs: 5000 }),
    async open() {
      const { connection, db } = await openDatabase({ path, busyTimeoutMs: 5000, cacheBytes: 2 ** 24 });
      opened = connection;
      const prepare = connection.prepare.bind(connection);
      connection.prepare = (text: string) => {
        sent.set(text, { text, values: [] });
        return prepare(text);
      };
      return await sqlStore(new GroupCommitSession(connection, db), sqliteDialect(connection));
    },
    sent: () => [...sent.values()],
    explain({ text }) {
      const database = new Database(path, { readonly: true });
      const none = [...text.matchAll(/\?/g)].map(() => null);
      const steps = database
        .prepare<unknown[], { detail: string }>(`explain query plan ${text}`)
        .all(none)
        .map(({ detail }) => detail);
      database.close();
      const scanned = steps.map(
        (step) =>
          /^SCAN (?!json_each|\d+-ROW)(\w+)/.exec(step)?.[1] ??
          /^SEARCH (metric) .*\(datasource=\?\)/.exec(step)?.[1],
      );
      return Promise.resolve({ lines: steps, scanned: scanned.filter((table) => table !== undefined) });
    },
    async remove() {
      opened?.close();
      await directory.remove();
    },
  };
}

type Execute = PlanDatabase['execute'];

interface MysqlStep {
  readonly select_type: string;
  readonly table: string | null;
  readonly type: string | null;
  readonly key: string | null;
  readonly rows: number | null;
  readonly Extra: string | null;
}

/** With the values that it was sent with. */
async function explainMysql(execute: Execute, { text }: SentStatement): Promise<Plan> {
  const steps = (await execute(`explain ${text}`)) as unknown as MysqlStep[];
  return {
    lines: steps.map(({ select_type, table, type, key, rows, Extra }) =>
      [select_type, table, type, key && `key ${key}`, rows && `${rows} rows`, Extra]
        .filter((part) => part !== null && part !== '')
        .join(', '),
    ),
    // `n` are the values that the statement brings along; what is inserted into is not read.
    scanned: steps
      .filter(({ select_type, type, table, rows }) => {
        const isWhole = type === 'ALL' || type === 'index' || (type === 'ref' && (rows ?? 0) > 1000);
        return isWhole && select_type !== 'INSERT' && table !== 'n' && !/^</.test(table ?? '<');
      })
      .map(({ table }) => table ?? ''),
  };
}

/** With the values that it was sent with. */
async function explainPostgres(execute: Execute, { text, values }: SentStatement): Promise<Plan> {
  const literals = values.map((value) => (value === null ? 'null' : `'${value.replaceAll("'", "''")}'`));
  const given = literals.length === 0 ? '' : `(${literals.join()})`;
  const rows = await execute(
    `set plan_cache_mode = force_custom_plan; prepare asked as ${text}; explain (costs off) execute asked${given}`,
  );
  const lines = rows.map((row) => String(row['QUERY PLAN']));
  return { lines, scanned: scannedByPostgres(lines) };
}

function scannedByPostgres(lines: readonly string[]): string[] {
  const scanned: string[] = [];
  lines.forEach((line, index) => {
    const whole = /Seq Scan on (\w+)/.exec(line)?.[1];
    const byIndex = /Index (?:Only )?Scan (?:Backward )?using \w+ on (\w+)/.exec(line)?.[1];
    const next = lines.slice(index + 1).findIndex((later) => later.includes('->'));
    const details = lines.slice(index + 1, next === -1 ? undefined : index + 1 + next);
    if (whole !== undefined) scanned.push(whole);
    else if (byIndex !== undefined && !details.some((detail) => NARROWS.test(detail))) scanned.push(byIndex);
  });
  return scanned;
}

/** A condition of an index that is more than what all metrics have in common. */
const NARROWS = /Index Cond: (?!\(\(datasource\)::text = '\w+'::text\)$)/;
