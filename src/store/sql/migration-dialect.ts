import type { CreateTableBuilder, Kysely, RawBuilder } from 'kysely';
import type { Schema } from './schema.ts';

/** What migrations need to know of a database. */
export interface MigrationDialect {
  readonly timestampType: 'integer' | RawBuilder<unknown>;
  readonly binaryType: 'blob' | RawBuilder<unknown>;
  /** Long enough for a metric's parameters. */
  readonly textType: 'text' | RawBuilder<unknown>;
  /** Of identities and names, which are compared and sorted by their bytes. */
  readonly nameType: (length: number) => `varchar(${number})` | RawBuilder<unknown>;
  /** Epoch seconds of a column of times, whatever the time zone of who asks. */
  readonly epochSeconds: (column: RawBuilder<unknown>) => RawBuilder<number>;
  /** A column of times as people and SQL's functions for dates take it. */
  readonly dateTime: (column: RawBuilder<unknown>) => RawBuilder<unknown>;
  /** Every table passes through here. */
  readonly table: BuildsTable;
  /** Lays the table out by its primary key, or for rows that change often, where a database needs to be told. */
  readonly clustered: BuildsTable;
  /** Whether creating tables can be rolled back. If not, a migration that was cut short is run again over what it left. */
  readonly rollsBackTables: boolean;
}

type BuildsTable = <Table extends string, Column extends string>(
  table: CreateTableBuilder<Table, Column>,
) => CreateTableBuilder<Table, Column>;

/** A table to be created, which may be there already only if a migration was cut short. */
export function newTable<Name extends keyof Schema>(
  db: Kysely<Schema>,
  dialect: MigrationDialect,
  name: Name,
): CreateTableBuilder<Name> {
  const table = db.schema.createTable(name);
  return dialect.table(dialect.rollsBackTables ? table : table.ifNotExists());
}
