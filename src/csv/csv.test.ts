import { assert, asyncProperty, array, integer, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvLine, CsvParser, csvRecords, MAX_RECORD_CHARACTERS, type CsvRecord } from './csv.ts';

function parse(text: string): CsvRecord[] {
  const parser = new CsvParser();
  return [...parser.push(text), ...parser.end()];
}

const fieldsOf = (text: string) => parse(text).map(({ fields }) => fields);

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size)
    yield await Promise.resolve(bytes.subarray(from, from + size));
}

async function recordsOf(bytes: Uint8Array, pieceBytes: number): Promise<CsvRecord[]> {
  const records: CsvRecord[] = [];
  for await (const record of csvRecords(pieces(bytes, pieceBytes))) records.push(record);
  return records;
}

describe('CSV', () => {
  it('reads what it writes, however the bytes are cut', async () => {
    const field = string({ unit: 'grapheme', maxLength: 6 });
    const awkward = integer({ min: 0, max: 6 }).map(
      (i) => ['"', ',', '\n', '\r\n', '\r', '""', ' '][i] ?? '',
    );
    const mixed = array(
      integer({ min: 0, max: 1 }).chain((i): typeof field => (i === 0 ? field : awkward)),
      {
        maxLength: 4,
      },
    ).map((parts) => parts.join(''));
    const table = array(array(mixed, { minLength: 2, maxLength: 4 }), { maxLength: 5 });
    await assert(
      asyncProperty(table, integer({ min: 1, max: 9 }), async (rows, size) => {
        const bytes = new TextEncoder().encode(rows.map(csvLine).join(''));
        const read = await recordsOf(bytes, size);
        expect(read.map(({ fields }) => fields)).toEqual(rows);
        expect(read.every(({ malformed }) => malformed === null)).toBe(true);
      }),
    );
  });

  it('never fails but with a message, on any text', async () => {
    const any = array(integer({ min: 0, max: 5 }).map((i) => ['"', ',', '\n', '\r', 'a', ' '][i] ?? ''));
    await assert(
      asyncProperty(any, (characters) => {
        try {
          for (const { fields } of parse(characters.join(''))) expect(fields.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid_argument' });
        }
        return Promise.resolve();
      }),
    );
  });

  it('understands quotes, both line ends, no last line end, empty lines and a byte order mark', async () => {
    expect(fieldsOf('a,"b ""c"", d"\r\n\n1,\n"x\ny",2')).toEqual([
      ['a', 'b "c", d'],
      ['1', ''],
      ['x\ny', '2'],
    ]);
    const bytes = new TextEncoder().encode('\ufeffa,b\n');
    expect((await recordsOf(bytes, 1)).map(({ fields }) => fields)).toEqual([['a', 'b']]);
  });

  it('counts lines, those inside quotes and empty ones, too', () => {
    expect(parse('a,b\n"1\n2",3\n\n4,5\n').map(({ line }) => line)).toEqual([1, 2, 5]);
  });

  it('marks a record with misplaced quotes and goes on after it', () => {
    expect(parse('a"b,1\n"a"b,1\nc,2\n').map(({ malformed }) => malformed)).toEqual([
      'a quote stands inside a field that is not quoted',
      'text follows a closing quote',
      null,
    ]);
  });

  it('refuses a quote that is never closed, at the end of the text or beyond the bound', () => {
    expect(() => parse('a,b\n1,"2\n')).toThrow('line 2: a quote is opened and never closed');
    for (const endless of ['"x', 'x', '""', ',', '"",']) {
      const parser = new CsvParser();
      const text = endless.repeat(MAX_RECORD_CHARACTERS / endless.length / 2 + 1);
      const pushes = () => [...parser.push(text), ...parser.push(text)];
      expect(pushes).toThrow('line 1: the row is longer than');
    }
  });

  it('refuses what is not UTF-8 and says where', async () => {
    const bytes = Uint8Array.from([...new TextEncoder().encode('a,b\n1,2\n'), 0xe4, 0x2c, 0x33, 0x0a]);
    await expect(recordsOf(bytes, 4)).rejects.toThrow('not UTF-8 soon after line 2');
  });
});
