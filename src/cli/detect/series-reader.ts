import { HtmEngineError } from '../../errors.ts';
import type { BadRow, BadRows } from '../csv/bad-rows.ts';
import { parseTime, parseValue } from '../csv/cell-values.ts';
import { chooseColumns, type ColumnNames, type Columns } from '../csv/columns.ts';
import { csvRecords, type CsvRecord } from '../csv/csv.ts';
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
  readonly header: readonly string[];
  readonly columns: Columns;
  readonly #source: Source;
  readonly #first: CsvRecord;
  readonly #others: AsyncGenerator<CsvRecord>;
  #lastSeconds = -Infinity;

  private constructor(
    source: Source,
    header: readonly string[],
    columns: Columns,
    first: CsvRecord,
    others: AsyncGenerator<CsvRecord>,
  ) {
    this.#source = source;
    this.header = header;
    this.columns = columns;
    this.#first = first;
    this.#others = others;
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
    try {
      const records = csvRecords(source.read(onBytes));
      const header = await records.next();
      if (header.done === true) throw new HtmEngineError('invalid_argument', 'there is nothing in it');
      const first = await records.next();
      if (first.done === true) throw new HtmEngineError('invalid_argument', 'no rows follow the header');
      const { fields, malformed } = header.value;
      if (malformed !== null)
        throw new HtmEngineError('invalid_argument', `line ${header.value.line}: ${malformed}`);
      return new SeriesReader(
        source,
        fields,
        chooseColumns(fields, first.value.fields, names),
        first.value,
        records,
      );
    } catch (error) {
      throw naming(source, error);
    }
  }

  /** The good rows, in order, once; the others go to `badRows`. @throws HtmEngineError `invalid_argument` naming the source */
  async *rows(badRows: BadRows): AsyncGenerator<SeriesRow> {
    try {
      for await (const record of this.#records()) {
        const row = this.#row(record);
        if ('reason' in row) {
          badRows.add(row);
        } else {
          this.#lastSeconds = row.timestampSeconds;
          yield row;
        }
      }
    } catch (error) {
      throw naming(this.#source, error);
    }
  }

  async *#records(): AsyncGenerator<CsvRecord> {
    yield this.#first;
    yield* this.#others;
  }

  #row({ line, fields, malformed }: CsvRecord): SeriesRow | BadRow {
    if (malformed !== null) return { line, reason: malformed };
    if (fields.length !== this.header.length)
      return { line, reason: `it has ${fields.length} fields, the header ${this.header.length}` };
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

function naming({ name }: Source, error: unknown): unknown {
  if (!(error instanceof HtmEngineError)) return error;
  return new HtmEngineError(error.code, `${name}: ${error.message}`, error.details);
}
