import type { CreateTableBuilder, RawBuilder } from 'kysely';

/** What migrations need to know of a database. */
export interface MigrationDialect {
  readonly timestampType: 'integer' | RawBuilder<unknown>;
  readonly binaryType: 'blob' | RawBuilder<unknown>;
  /** Long enough for a metric's parameters. */
  readonly textType: 'text' | RawBuilder<unknown>;
  /** Of identities and names, which are compared and sorted by their bytes. */
  readonly nameType: (length: number) => `varchar(${number})` | RawBuilder<unknown>;
  /** Every table passes through here. */
  readonly table: BuildsTable;
  /** Lays the table out by its primary key, or for rows that change often, where a database needs to be told. */
  readonly clustered: BuildsTable;
  /** Whether an index can only be made safely twice as part of its table. */
  readonly inlineIndexes: boolean;
}

type BuildsTable = <Table extends string, Column extends string>(
  table: CreateTableBuilder<Table, Column>,
) => CreateTableBuilder<Table, Column>;
