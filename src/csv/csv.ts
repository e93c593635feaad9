import { HtmEngineError } from '../errors.ts';

/** One record of a CSV file. */
export interface CsvRecord {
  /** Of its first character; the first line of a file is 1. */
  readonly line: number;
  readonly fields: readonly string[];
  /** What is wrong with its quotes, or null. `fields` must not be used then. */
  readonly malformed: string | null;
}

/** A record longer than this cannot be one: a quote was opened and never closed. */
export const MAX_RECORD_CHARACTERS = 1_048_576;

const State = { FieldStart: 0, Plain: 1, Quoted: 2, AfterQuote: 3 } as const;

/**
 * Comma separated values (RFC 4180), piece by piece: fields may be quoted, quotes inside are doubled, quoted fields
 * may hold commas and line ends. Lines end in LF or CRLF; empty ones are passed over. Holds one record at the most.
 */
export class CsvParser {
  #state: (typeof State)[keyof typeof State] = State.FieldStart;
  #fields: string[] = [];
  #field = '';
  #malformed: string | null = null;
  #line = 1;
  #recordLine = 1;
  #recordCharacters = 0;

  /**
   * The records that end within `text`.
   * @throws HtmEngineError `invalid_argument` if a record is longer than `MAX_RECORD_CHARACTERS`
   */
  *push(text: string): Generator<CsvRecord> {
    let from = 0;
    for (let i = 0; i < text.length; i++) {
      const character = text[i];
      if (character === '\n') this.#line++;
      this.#count();
      if (this.#state === State.FieldStart && character !== '"') {
        this.#state = State.Plain;
        from = i;
      }
      switch (this.#state) {
        case State.Quoted:
          if (character !== '"') continue;
          this.#take(text, from, i);
          this.#state = State.AfterQuote;
          break;
        case State.AfterQuote:
          if (character === '"') {
            this.#field += '"';
            this.#state = State.Quoted;
            break;
          }
          if (character === ',') this.#endField();
          else if (character === '\n') yield* this.#endRecord();
          else if (character !== '\r') this.#malformed ??= 'text follows a closing quote';
          break;
        case State.FieldStart:
          this.#state = State.Quoted; // plain fields have left this state above
          break;
        case State.Plain:
          if (character === '"') this.#malformed ??= 'a quote stands inside a field that is not quoted';
          if (character !== ',' && character !== '\n') continue;
          this.#take(text, from, i);
          if (character === ',') {
            this.#endField();
          } else {
            if (this.#field.endsWith('\r')) this.#field = this.#field.slice(0, -1);
            yield* this.#endRecord();
          }
          break;
      }
      from = i + 1;
    }
    this.#take(text, from, text.length);
  }

  /**
   * The last record, if no line end follows it.
   * @throws HtmEngineError `invalid_argument` if a quote is still open
   */
  *end(): Generator<CsvRecord> {
    if (this.#state === State.Quoted)
      throw new HtmEngineError(
        'invalid_argument',
        `line ${this.#recordLine}: a quote is opened and never closed`,
      );
    if (this.#fields.length > 0 || this.#state !== State.FieldStart) yield* this.#endRecord();
  }

  #take(text: string, from: number, to: number): void {
    this.#field += text.slice(from, to);
  }

  #count(): void {
    if (++this.#recordCharacters > MAX_RECORD_CHARACTERS)
      throw new HtmEngineError(
        'invalid_argument',
        `line ${this.#recordLine}: the row is longer than ${MAX_RECORD_CHARACTERS} characters; is a quote never closed?`,
      );
  }

  #endField(): void {
    this.#fields.push(this.#field);
    this.#field = '';
    this.#state = State.FieldStart;
  }

  *#endRecord(): Generator<CsvRecord> {
    const isEmptyLine = this.#fields.length === 0 && this.#field === '' && this.#state === State.Plain;
    this.#endField();
    const record = { line: this.#recordLine, fields: this.#fields, malformed: this.#malformed };
    this.#fields = [];
    this.#malformed = null;
    this.#recordLine = this.#line;
    this.#recordCharacters = 0;
    if (!isEmptyLine) yield record;
  }
}

/** The records of UTF-8 bytes; a byte order mark is passed over. @throws HtmEngineError `invalid_argument` */
export async function* csvRecords(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<CsvRecord> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decode = (chunk?: Uint8Array): string => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch {
      throw new HtmEngineError(
        'invalid_argument',
        `the text is not UTF-8 soon after line ${lastLine}; convert it, for instance with iconv`,
      );
    }
  };
  const parser = new CsvParser();
  let lastLine = 1;
  for await (const chunk of chunks) {
    for (const record of parser.push(decode(chunk))) {
      lastLine = record.line;
      yield record;
    }
  }
  yield* parser.push(decode());
  yield* parser.end();
}

/** One line of CSV with its line end; fields are quoted where they must be. */
export function csvLine(fields: readonly (string | number)[]): string {
  return `${fields.map(csvField).join(',')}\n`;
}

function csvField(field: string | number): string {
  const text = String(field);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
