import type { CreateTableBuilder, RawBuilder } from 'kysely';

/** What migrations need to know of a database. */
export interface MigrationDialect {
  readonly timestampType: 'integer' | RawBuilder<unknown>;
  readonly binaryType: 'blob' | RawBuilder<unknown>;
  /** Lays the table out by its primary key, where a database needs to be told. */
  readonly clustered: <Table extends string, Column extends string>(
    table: CreateTableBuilder<Table, Column>,
  ) => CreateTableBuilder<Table, Column>;
}
