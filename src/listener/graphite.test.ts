import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { RefusalReason, Sample } from '../metric.ts';
import { GraphiteParser, type LineSink } from './graphite.ts';

const NOW = 1_700_000_000.25;
const LIMIT = 4096;

type Found = Sample | RefusalReason;

class Collected implements LineSink {
  readonly found: Found[] = [];
  readonly examples: string[] = [];
  /** Samples and refusals that fit. */
  limit = Infinity;
  get full(): boolean {
    return this.found.length >= this.limit;
  }
  sample(sample: Sample): void {
    this.found.push(sample);
  }
  refused(reason: RefusalReason, example: string): void {
    this.found.push(reason);
    this.examples.push(example);
  }
}

function parseChunks(chunks: readonly Uint8Array[], maxLineBytes = LIMIT): Collected {
  const parser = new GraphiteParser(maxLineBytes, () => NOW);
  const sink = new Collected();
  for (const chunk of chunks) {
    // A copy that is wiped afterwards shows that nothing refers to the chunk later.
    const buffer = Buffer.from(chunk);
    expect(parser.parse(buffer, 0, sink)).toBe(buffer.length);
    buffer.fill(0x2a);
  }
  parser.end(sink);
  return sink;
}

const parse = (text: string | Uint8Array, maxLineBytes?: number) =>
  parseChunks([typeof text === 'string' ? Buffer.from(text) : text], maxLineBytes).found;

const sample = (name: string, value: number, timestamp: number): Sample => ({ name, value, timestamp });

describe('a Graphite line', () => {
  it('is name, value and time (scenario 92)', () => {
    expect(parse('test.metric 4.0 1386792175\n')).toEqual([sample('test.metric', 4, 1_386_792_175)]);
  });

  it('may have its time truncated from a fraction (scenario 14)', () => {
    expect(parse('m 1 1386792175.999\nm 1 1.386792175e9\n')).toEqual([
      sample('m', 1, 1_386_792_175),
      sample('m', 1, 1_386_792_175),
    ]);
  });

  it('means now without a time and with -1', () => {
    const now = sample('m', 1, 1_700_000_000);
    expect(parse('m 1\nm 1 -1\nm 1 -1.0\n')).toEqual([now, now, now]);
  });

  it('may be separated by any run of ASCII whitespace and end in CR LF', () => {
    const expected = sample('m', 1, 1_600_000_000);
    expect(parse('\t m \t 1\v\f1600000000 \r\nm\r1\r1600000000\r\n')).toEqual([expected, expected]);
  });

  it('means nothing if it is blank', () => {
    expect(parse('\n\r\n  \t\n\n')).toEqual([]);
  });

  it('keeps tags and any script in the name, with spaces that are not ASCII', () => {
    expect(parse('cpu;host=a;dc=b 1 1600000000\nТемпература.東京\u00a0😀 -2.5e-3 1600000000')).toEqual([
      sample('cpu;host=a;dc=b', 1, 1_600_000_000),
      sample('Температура.東京\u00a0😀', -0.0025, 1_600_000_000),
    ]);
  });

  it.each([
    ['0', 0],
    ['-0', 0],
    ['-0.0', 0],
    ['+5', 5],
    ['5.', 5],
    ['.5', 0.5],
    ['-.5E+2', -50],
    ['007', 7],
    ['1e308', 1e308],
    ['4.9e-324', 5e-324],
    ['1e-400', 0],
    ['123456789012345678901234567890', 1.2345678901234568e29],
  ])('takes %s as the value %d', (token, value) => {
    const [found] = parse(`m ${token} 1600000000\n`);
    expect(found).toStrictEqual(sample('m', value, 1_600_000_000));
    expect(Object.is((found as Sample).value, value)).toBe(true);
  });

  it.each<[string, RefusalReason]>([
    ['m', 'malformed'],
    ['m 1 1600000000 extra', 'malformed'],
    ['m one 1600000000', 'malformed'],
    ['m 0x1F 1600000000', 'malformed'],
    ['m 1_000 1600000000', 'malformed'],
    ['m 1,5 1600000000', 'malformed'],
    ['m . 1600000000', 'malformed'],
    ['m - 1600000000', 'malformed'],
    ['m 1e 1600000000', 'malformed'],
    ['m 1e5.5 1600000000', 'malformed'],
    ['m ١٢ 1600000000', 'malformed'],
    ['m null 1600000000', 'malformed'],
    ['m nano 1600000000', 'malformed'],
    ['m 1 yesterday', 'malformed'],
    ['m 1 0x10', 'malformed'],
    ['m nan 1600000000', 'value_not_finite'],
    ['m NaN 1600000000', 'value_not_finite'],
    ['m -nan(0x8) 1600000000', 'value_not_finite'],
    ['m inf 1600000000', 'value_not_finite'],
    ['m -Infinity 1600000000', 'value_not_finite'],
    ['m +INF', 'value_not_finite'],
    ['m 1.#QNAN 1600000000', 'value_not_finite'],
    ['m 1e309 1600000000', 'value_not_finite'],
    ['m 1 nan', 'time_invalid'],
    ['m 1 inf', 'time_invalid'],
    ['m 1 -2', 'time_before_1990'],
    ['m 1 0', 'time_before_1990'],
    ['m 1 1600000000000', 'time_in_milliseconds'],
    ['m 1 1700086401', 'time_too_far_ahead'],
    ['a\u0000b 1 1600000000', 'name_invalid'],
    ['a\u0085b 1 1600000000', 'name_invalid'],
    [`${'n'.repeat(256)} 1 1600000000`, 'name_too_long'],
  ])('%j is refused as %s', (line, reason) => {
    expect(parse(`before 1 1600000000\n${line}\nafter 1 1600000000\n`)).toEqual([
      sample('before', 1, 1_600_000_000),
      reason,
      sample('after', 1, 1_600_000_000),
    ]);
  });

  it('is refused if any byte of it is not UTF-8', () => {
    const line = (bytes: number[]) =>
      Buffer.concat([Buffer.from('m'), Buffer.from(bytes), Buffer.from(' 1 1600000000')]);
    for (const bytes of [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80]]) {
      expect(parse(line(bytes))).toEqual(['not_utf8']);
    }
    expect(parse(Buffer.from([0x6d, 0x20, 0x31, 0x20, 0x80]))).toEqual(['not_utf8']);
  });

  it('has room for a name of 255 characters of four bytes', () => {
    const name = '😀'.repeat(255);
    expect(parse(`${name} 1 1600000000\n`)).toEqual([sample(name, 1, 1_600_000_000)]);
  });

  it('is refused once if it is too long, and the next one is not', () => {
    const long = `${'x'.repeat(100)} 1 1600000000`;
    const bytes = Buffer.from(`${long}\nm 1 1600000000\n`);
    for (const maxLineBytes of [15, 50, long.length - 1]) {
      const expected = ['line_too_long', sample('m', 1, 1_600_000_000)];
      expect(parse(bytes, maxLineBytes)).toEqual(expected);
      expect(
        parseChunks(
          Array.from(bytes, (byte) => Uint8Array.of(byte)),
          maxLineBytes,
        ).found,
      ).toEqual(expected);
    }
    expect(parse(bytes, long.length)[0]).toEqual(sample('x'.repeat(100), 1, 1_600_000_000));
  });

  it('costs linear time however many digits it has', () => {
    // Quadratic matching would need minutes for these.
    const digits = '1'.repeat(500_000);
    expect(
      parse(`m ${digits}x 1600000000\nm 1.${digits}x 1600000000\nm 1e${digits}x 1600000000\n`, 2 ** 20),
    ).toEqual(['malformed', 'malformed', 'malformed']);
  });

  it('shows its beginning when it is refused', () => {
    const { examples } = parseChunks([Buffer.from(`no number\n${'y'.repeat(5000)}\n`)]);
    expect(examples[0]).toBe('no number');
    expect(examples[1]).toMatch(/^y{80,}$/);
    expect(examples[1]?.length).toBeLessThan(1000);
  });
});

describe('the end of the bytes', () => {
  it('ends an unfinished line once', () => {
    const parser = new GraphiteParser(LIMIT, () => NOW);
    const sink = new Collected();
    parser.parse(Buffer.from('m 1 16000'), 0, sink);
    parser.parse(Buffer.from('00000'), 0, sink);
    expect(sink.found).toEqual([]);
    parser.end(sink);
    parser.end(sink);
    expect(sink.found).toEqual([sample('m', 1, 1_600_000_000)]);
  });
});

describe('a full sink', () => {
  it('stops the parser before the next line, which it takes up again later', () => {
    const bytes = Buffer.from('a 1 1600000000\nb 1 1600000000\nc 1 1600000000\nd 1 16000');
    const parser = new GraphiteParser(LIMIT, () => NOW);
    const sink = new Collected();
    sink.limit = 2;
    const offset = parser.parse(bytes, 0, sink);
    expect(offset).toBe(30);
    expect(parser.parse(bytes, offset, sink)).toBe(offset);
    sink.limit = 10;
    expect(parser.parse(bytes, offset, sink)).toBe(bytes.length);
    expect(sink.found.map((found) => (found as Sample).name)).toEqual(['a', 'b', 'c']);
  });
});

/** Lines made of pieces that matter to the parser, and plain bytes. */
const hostileBytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .array(
          fc.constantFrom(
            'm',
            ' ',
            '\n',
            '\r',
            '\t',
            '1',
            '-1',
            '.',
            'e',
            'nan',
            '1600000000',
            'é',
            '\u00a0',
            'x'.repeat(70),
          ),
          { maxLength: 12 },
        )
        .map((pieces) => Buffer.from(pieces.join(''))),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => Buffer.concat(pieces));

describe('any bytes', () => {
  it('give the same outcome however they are cut into chunks', () => {
    fc.assert(
      fc.property(
        hostileBytes,
        fc.array(fc.nat()),
        fc.integer({ min: 1, max: 80 }),
        (bytes, cuts, maxLineBytes) => {
          const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
          const chunks = ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
          const whole = parseChunks([bytes], maxLineBytes);
          const cut = parseChunks(chunks, maxLineBytes);
          expect(cut.found).toEqual(whole.found);
          expect(cut.examples).toEqual(whole.examples);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('give one outcome per line that is not blank', () => {
    fc.assert(
      fc.property(hostileBytes, fc.integer({ min: 1, max: 80 }), (bytes, maxLineBytes) => {
        const lines = bytes.toString('latin1').split('\n');
        const expected = lines.filter((line) => line.length > maxLineBytes || /[^\t-\r ]/.test(line));
        expect(parse(bytes, maxLineBytes)).toHaveLength(expected.length);
      }),
      { numRuns: 500 },
    );
  });
});

describe('every valid line', () => {
  const name = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
    .filter((text) => !/[\u0000-\u0020\u007f-\u009f]/.test(text)); // eslint-disable-line no-control-regex
  const value = fc.double({ noNaN: true, noDefaultInfinity: true });
  // A second less than a day ahead, since a fraction may be added.
  const timestamp = fc.integer({ min: 631_152_000, max: Math.floor(NOW) + 86_399 });
  const gap = fc.stringMatching(/^[ \t\v\f\r]{1,3}$/);

  it('is parsed to exactly its sample', () => {
    const line = fc.record({
      name,
      value,
      timestamp,
      gaps: fc.tuple(gap, gap),
      fraction: fc.constantFrom('', '.0', '.9'),
    });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
        const text = lines
          .map((l) => `${l.name}${l.gaps[0]}${l.value}${l.gaps[1]}${l.timestamp}${l.fraction}\n`)
          .join('');
        const expected = lines.map((l) => sample(l.name, l.value === 0 ? 0 : l.value, l.timestamp));
        // toStrictEqual tells -0 from 0.
        expect(parse(text)).toStrictEqual(expected);
      }),
    );
  });
});
