import type { BadRow, BadRows } from '../csv/bad-rows.ts';
import { parseTime, parseValue } from '../csv/cell-values.ts';
import { chooseColumns, type ColumnNames, type Columns } from '../csv/columns.ts';
import type { CsvRecord } from '../csv/csv.ts';
import { CsvTable, naming } from '../csv/table.ts';
import type { Source } from '../csv/source.ts';

/** A row of the series. */
export interface SeriesRow {
  readonly line: number;
  /** All its cells, as in the file. */
  readonly fields: readonly string[];
  /** Whole seconds since 1970 UTC, later than those of the row before. */
  readonly timestampSeconds: number;
  readonly value: number;
}

/** One pass over a series in a CSV file. Holds one row. */
export class SeriesReader {
  readonly columns: Columns;
  readonly #source: Source;
  readonly #table: CsvTable;
  #lastSeconds = -Infinity;

  private constructor(source: Source, table: CsvTable, columns: Columns) {
    this.#source = source;
    this.#table = table;
    this.columns = columns;
  }

  /**
   * Reads the header and the first row.
   * @param onBytes is told whenever bytes were read.
   * @throws HtmEngineError `invalid_argument` naming the source
   */
  static async open(
    source: Source,
    names: ColumnNames,
    onBytes?: (bytes: number) => void,
  ): Promise<SeriesReader> {
    const table = await CsvTable.open(source, onBytes);
    try {
      return new SeriesReader(source, table, chooseColumns(table.header, table.firstRow, names));
    } catch (error) {
      throw naming(source, error);
    }
  }

  get header(): readonly string[] {
    return this.#table.header;
  }

  /** The good rows, in order, once; the others go to `badRows`. @throws HtmEngineError `invalid_argument` naming the source */
  async *rows(badRows: BadRows): AsyncGenerator<SeriesRow> {
    for await (const record of this.#table.records()) {
      const row = this.#row(record);
      if ('reason' in row) {
        this.#addBadRow(badRows, row);
      } else {
        this.#lastSeconds = row.timestampSeconds;
        yield row;
      }
    }
  }

  #addBadRow(badRows: BadRows, row: BadRow): void {
    try {
      badRows.add(row);
    } catch (error) {
      throw naming(this.#source, error);
    }
  }

  #row(record: CsvRecord): SeriesRow | BadRow {
    const { line, fields } = record;
    const wrong = this.#table.wrongWith(record);
    if (wrong !== null) return { line, reason: wrong };
    const time = parseTime(fields[this.columns.time] ?? '');
    if (time.wrong !== undefined) return { line, reason: time.wrong };
    const value = parseValue(fields[this.columns.value] ?? '');
    if (value.wrong !== undefined) return { line, reason: value.wrong };
    if (time.number === this.#lastSeconds)
      return { line, reason: 'duplicate: its time is the same second as that of the row before' };
    if (time.number < this.#lastSeconds)
      return { line, reason: 'older: its time is before that of the row before' };
    return { line, fields, timestampSeconds: time.number, value: value.number };
  }
}
