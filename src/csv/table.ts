import { HtmEngineError } from '../errors.ts';
import { csvRecords, type CsvRecord } from './csv.ts';
import type { Source } from './source.ts';

/** A CSV file whose header and first row are read, so that its columns can be chosen. */
export class CsvTable {
  readonly header: readonly string[];
  readonly firstRow: readonly string[];
  readonly #source: Source;
  readonly #first: CsvRecord;
  readonly #others: AsyncGenerator<CsvRecord>;

  private constructor(
    source: Source,
    header: readonly string[],
    first: CsvRecord,
    others: AsyncGenerator<CsvRecord>,
  ) {
    this.#source = source;
    this.header = header;
    this.firstRow = first.fields;
    this.#first = first;
    this.#others = others;
  }

  /**
   * @param onBytes is told whenever bytes were read.
   * @throws HtmEngineError `invalid_argument` naming the source
   */
  static async open(source: Source, onBytes?: (bytes: number) => void): Promise<CsvTable> {
    try {
      const records = csvRecords(source.read(onBytes));
      const header = await records.next();
      if (header.done === true) throw new HtmEngineError('invalid_argument', 'there is nothing in it');
      const first = await records.next();
      if (first.done === true) throw new HtmEngineError('invalid_argument', 'no rows follow the header');
      const { fields, malformed } = header.value;
      if (malformed !== null)
        throw new HtmEngineError('invalid_argument', `line ${header.value.line}: ${malformed}`);
      return new CsvTable(source, fields, first.value, records);
    } catch (error) {
      throw naming(source, error);
    }
  }

  /** All rows, in order, once. @throws HtmEngineError `invalid_argument` naming the source */
  async *records(): AsyncGenerator<CsvRecord> {
    try {
      yield this.#first;
      yield* this.#others;
    } catch (error) {
      throw naming(this.#source, error);
    }
  }

  /** What is wrong with a row as such, or null: its quotes, or how many fields it has. */
  wrongWith({ fields, malformed }: CsvRecord): string | null {
    if (malformed !== null) return malformed;
    if (fields.length === this.header.length) return null;
    return `it has ${fields.length} fields, the header ${this.header.length}`;
  }
}

/** The error with the source named in its message. */
export function naming({ name }: Source, error: unknown): unknown {
  if (!(error instanceof HtmEngineError)) return error;
  return new HtmEngineError(error.code, `${name}: ${error.message}`, error.details);
}
