import { randomUUID } from 'node:crypto';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { Client, type QueryResult } from 'pg';

/** The database servers that tests run against, as the machine has them. */
export const SERVER_KINDS = ['mysql', 'postgres'] as const;
export type ServerKind = (typeof SERVER_KINDS)[number];

const ADMIN_URLS: Readonly<Record<ServerKind, string>> = {
  mysql: process.env.HTMENGINE_TEST_MYSQL_URL ?? 'mysql://root@127.0.0.1:3306/',
  postgres: process.env.HTMENGINE_TEST_POSTGRES_URL ?? 'postgres://root@127.0.0.1:5432/postgres',
};

/** A database of its own for one test file. */
export interface TestDatabase {
  readonly url: string;
  /** Runs plain SQL on it, past the store. @returns the rows of the last statement, if it has any. */
  execute(statement: string): Promise<Record<string, unknown>[]>;
  drop(): Promise<void>;
}

/**
 * Why tests on this server cannot run, or null if they can.
 * @throws where they must not be left out (HTMENGINE_REQUIRE_SERVICES)
 */
export async function missingServer(kind: ServerKind): Promise<string | null> {
  try {
    await admin(kind, 'select 1');
    return null;
  } catch (error) {
    return notRun(`the ${kind} store, at ${ADMIN_URLS[kind]}`, error);
  }
}

/**
 * Says plainly that tests are left out, and how to have them.
 * @returns why
 * @throws where they must not be left out (HTMENGINE_REQUIRE_SERVICES)
 */
export function notRun(what: string, error: unknown): string {
  const reason = `${what} (${error instanceof Error ? error.message || error.name : String(error)})`;
  if (process.env.HTMENGINE_REQUIRE_SERVICES === '1')
    throw new Error(`cannot test ${reason}`, { cause: error });
  process.stderr.write(
    `NOT RUN: tests of ${reason}. Install mariadb-server and postgresql (Debian) or run \`docker compose -f test/compose.yaml up -d\`, ` +
      'or name servers by HTMENGINE_TEST_MYSQL_URL and HTMENGINE_TEST_POSTGRES_URL.\n',
  );
  return reason;
}

/** Creates an empty database. @param adminUrl of the server; by default the machine's. */
export async function createDatabase(kind: ServerKind, adminUrl = ADMIN_URLS[kind]): Promise<TestDatabase> {
  const name = `htmengine_test_${randomUUID().replaceAll('-', '')}`;
  await admin(kind, `create database ${name}`, adminUrl);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    execute: (statement) => runOn(kind, url.href, statement),
    drop: async () => {
      await admin(kind, `drop database ${name}${kind === 'postgres' ? ' with (force)' : ''}`, adminUrl);
    },
  };
}

/** Runs plain SQL as the server's administrator. */
export function admin(
  kind: ServerKind,
  statement: string,
  adminUrl = ADMIN_URLS[kind],
): Promise<Record<string, unknown>[]> {
  return runOn(kind, adminUrl, statement);
}

async function runOn(kind: ServerKind, url: string, statement: string): Promise<Record<string, unknown>[]> {
  if (kind === 'mysql') {
    const connection = await createConnection({ uri: url, multipleStatements: true });
    try {
      await connection.query("set session sql_mode = 'ANSI_QUOTES'");
      const [rows] = await connection.query<RowDataPacket[] | RowDataPacket[][]>(statement);
      const last = Array.isArray(rows) && Array.isArray(rows.at(-1)) ? rows.at(-1) : rows;
      return Array.isArray(last) ? (last as RowDataPacket[]) : [];
    } finally {
      await connection.end();
    }
  }
  const client = new Client(url);
  await client.connect();
  try {
    const results = (await client.query(statement)) as
      QueryResult<Record<string, unknown>> | QueryResult<Record<string, unknown>>[];
    return (Array.isArray(results) ? results.at(-1) : results)?.rows ?? [];
  } finally {
    await client.end();
  }
}
