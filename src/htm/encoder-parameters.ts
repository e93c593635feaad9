import type { DateEncoderParameters, WidthAndRadius } from './encoders/date.ts';
import { encoderWidth } from './encoders/multi.ts';
import type { EncoderParameters } from './encoders/multi.ts';
import { scalarGeometry } from './encoders/scalar.ts';
import type { ScalarEncoderParameters } from './encoders/scalar.ts';
import { ModelParameterError, ParameterReader, integerAt, listAt } from './parameter-reader.ts';

/**
 * Reads and checks the key `encoders`.
 * @returns them and the number of their bits.
 * @throws ModelParameterError naming path, value and rule.
 */
export function parseEncoders(reader: ParameterReader): {
  encoders: readonly EncoderParameters[];
  width: number;
} {
  const encoders = reader
    .list('encoders', 1, MAX_ENCODERS)
    .map((encoder, i) => parseEncoder(new ParameterReader(encoder, `encoders.${i}`)));
  return { encoders, width: widthOf(encoders) };
}

function parseEncoder(reader: ParameterReader): EncoderParameters {
  const type = reader.oneOf('type', ['date', 'rdse', 'scalar']);
  const parse = { date: parseDate, rdse: parseRdse, scalar: parseScalar };
  const encoder = parse[type](reader);
  reader.finish();
  return encoder;
}

function parseRdse(reader: ParameterReader): EncoderParameters {
  const w = oddWidth(reader, 'w');
  const n = reader.integer('n', 6 * w + 1, MAX_INPUTS);
  return {
    type: 'rdse',
    resolution: reader.number('resolution', { min: 0, max: Number.MAX_VALUE, above: true }),
    w,
    n,
    seed: reader.seed(),
    offset: reader.has('offset')
      ? reader.number('offset', { min: -Number.MAX_VALUE, max: Number.MAX_VALUE })
      : null,
  };
}

function parseScalar(reader: ParameterReader): EncoderParameters {
  const w = oddWidth(reader, 'w');
  const min = reader.number('min', { min: -MAX_SCALAR, max: MAX_SCALAR });
  const max = reader.number('max', { min, max: MAX_SCALAR, above: true });
  const periodic = reader.boolean('periodic');
  const sizedBy = reader.oneOf('sizedBy', ['n', 'radius', 'resolution']);
  const size =
    sizedBy === 'n'
      ? reader.integer('size', w + 1, MAX_INPUTS)
      : reader.number('size', { min: 0, max: MAX_SCALAR, above: true });
  const clipInput = reader.boolean('clipInput');
  const parameters = { w, min, max, periodic, sizedBy, size, clipInput };
  requireBits(parameters, reader.pathOf('size'));
  return { type: 'scalar', ...parameters };
}

function parseDate(reader: ParameterReader): EncoderParameters {
  const parts: DateEncoderParameters = {
    season: parseDatePart(reader, 'season', 366),
    dayOfWeek: parseDatePart(reader, 'dayOfWeek', 7),
    weekend: parseDatePart(reader, 'weekend', null),
    customDays: parseCustomDays(reader),
    holiday: parseHoliday(reader),
    timeOfDay: parseDatePart(reader, 'timeOfDay', 24),
  };
  if (Object.values(parts).every((part) => part === null))
    throw new ModelParameterError('conflict', reader.path, 'has no part that is not null');
  return { type: 'date', ...parts };
}

/** A part on a circle of the given length, or (null) between 0 and 1. */
function parseDatePart(reader: ParameterReader, key: string, circle: number | null): WidthAndRadius | null {
  if (!reader.has(key)) return null;
  const part = reader.object(key);
  const w = oddWidth(part, 'w');
  const radius = part.number('radius', { min: 0, max: MAX_SCALAR, above: true });
  part.finish();
  requireBits(
    {
      w,
      min: 0,
      max: circle ?? 1,
      periodic: circle !== null,
      sizedBy: 'radius',
      size: radius,
      clipInput: false,
    },
    part.pathOf('radius'),
  );
  return { w, radius };
}

function parseCustomDays(reader: ParameterReader): DateEncoderParameters['customDays'] {
  if (!reader.has('customDays')) return null;
  const part = reader.object('customDays');
  const w = oddWidth(part, 'w');
  const days = part.list('days', 1, 7).map((day, i) => integerAt(day, `${part.pathOf('days')}.${i}`, 0, 6));
  part.finish();
  return { w, days };
}

function parseHoliday(reader: ParameterReader): DateEncoderParameters['holiday'] {
  if (!reader.has('holiday')) return null;
  const part = reader.object('holiday');
  const w = oddWidth(part, 'w');
  const dates = part.list('dates', 1, MAX_HOLIDAYS).map((date, i) => {
    const path = `${part.pathOf('dates')}.${i}`;
    const fields = listAt(date, path, 2, 3);
    const year = fields.length === 3 ? [integerAt(fields[0], `${path}.0`, 1, 9999)] : [];
    const [month, day] = fields.slice(-2);
    const monthNumber = integerAt(month, `${path}.${fields.length - 2}`, 1, 12);
    return [
      ...year,
      monthNumber,
      integerAt(day, `${path}.${fields.length - 1}`, 1, DAYS_OF_MONTH[monthNumber - 1]),
    ];
  });
  part.finish();
  return { w, dates };
}

/** Makes sure that a scalar encoder's constants give a number of bits that is neither too large nor below `w`. */
function requireBits(parameters: ScalarEncoderParameters, path: string): void {
  const { n, resolution } = scalarGeometry(parameters);
  if (!(n >= parameters.w && n <= MAX_INPUTS && resolution > 0))
    throw new ModelParameterError(
      'out_of_range',
      path,
      `is ${parameters.size}, which gives ${n} bits; there must be w = ${parameters.w} to ${MAX_INPUTS}`,
    );
}

function widthOf(encoders: readonly EncoderParameters[]): number {
  if (encoders.every(({ type }) => type === 'date'))
    throw new ModelParameterError('conflict', 'encoders', 'have none of the value');
  const width = encoders.reduce((sum, encoder) => sum + encoderWidth(encoder), 0);
  if (width > MAX_INPUTS)
    throw new ModelParameterError(
      'out_of_range',
      'encoders',
      `have ${width} bits together, must have at most ${MAX_INPUTS}`,
    );
  return width;
}

function oddWidth(reader: ParameterReader, key: string): number {
  const w = reader.integer(key, 1, MAX_ON_BITS);
  if (w % 2 === 0) throw new ModelParameterError('out_of_range', reader.pathOf(key), `is ${w}, must be odd`);
  return w;
}

const MAX_ENCODERS = 32;
const MAX_ON_BITS = 2047;
const MAX_INPUTS = 16_384;
const MAX_HOLIDAYS = 1000;
const MAX_SCALAR = 1e15;
const DAYS_OF_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
