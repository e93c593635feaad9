import { ModelParameterError, describe, listAt } from './parameter-reader.ts';
import type { ParameterReader } from './parameter-reader.ts';

/** Encoders of the original's form, in ours but not yet checked. */
export interface CompleteEncoders {
  /** In the order of their keys, which is the order of their bits. */
  readonly encoders: readonly object[];
  readonly keys: readonly string[];
  readonly timestampFieldName: string | null;
}

/**
 * Reads `sensorParams` of the original's form (model reference, section 2).
 * @throws ModelParameterError if a field is neither that of the values nor the one of the times (if null, that of
 * the first date encoder), or an encoder is of a kind there is not.
 */
export function completeEncoders(
  sensor: ParameterReader,
  valueFieldName: string,
  timestampFieldName: string | null,
): CompleteEncoders {
  sensor.ignore('verbosity');
  if (sensor.has('sensorAutoReset'))
    throw new ModelParameterError('unsupported', sensor.pathOf('sensorAutoReset'), 'can only be null');
  const definitions = sensor.object('encoders');
  sensor.finish();
  const keys = definitions.keys().filter((key) => !key.includes(':') && definitions.has(key));
  let timeField = timestampFieldName;
  const parsed = keys.map((key) => {
    const definition = definitions.object(key);
    const type = definition.oneOf('type', ['RandomDistributedScalarEncoder', 'DateEncoder', 'ScalarEncoder']);
    const field = definition.text('fieldname');
    const wanted = type === 'DateEncoder' ? (timeField ??= field) : valueFieldName;
    if (field !== wanted || (type === 'DateEncoder' && field === valueFieldName))
      throw new ModelParameterError(
        'conflict',
        definition.pathOf('fieldname'),
        `is ${describe(field)}; there is one field of times, for date encoders, and one of values, ${describe(valueFieldName)}, for the others`,
      );
    definition.ignore('name', 'verbosity');
    const encoder = { RandomDistributedScalarEncoder: rdse, DateEncoder: date, ScalarEncoder: scalar }[type](
      definition,
    );
    definition.finish();
    return encoder;
  });
  return { encoders: parsed, keys, timestampFieldName: timeField };
}

function rdse(reader: ParameterReader): object {
  return {
    type: 'rdse',
    resolution: reader.any('resolution'),
    w: reader.any('w') ?? 21,
    n: reader.any('n') ?? 400,
    seed: reader.any('seed') ?? 42,
    offset: reader.any('offset') ?? null,
  };
}

function scalar(reader: ParameterReader): object {
  const sizes = (['n', 'radius', 'resolution'] as const).filter((key) => (reader.any(key) ?? 0) !== 0);
  if (sizes.length !== 1)
    throw new ModelParameterError(
      'conflict',
      reader.path,
      `has ${sizes.join(', ') || 'none'} of n, radius and resolution; exactly one must be given`,
    );
  if (!reader.boolean('forced', false)) reader.integer('w', 21, Number.MAX_SAFE_INTEGER);
  return {
    type: 'scalar',
    w: reader.any('w'),
    min: reader.any('minval'),
    max: reader.any('maxval'),
    periodic: reader.boolean('periodic', false),
    sizedBy: sizes[0],
    size: reader.any(sizes[0]),
    clipInput: reader.boolean('clipInput', false),
  };
}

function date(reader: ParameterReader): object {
  reader.ignore('forced');
  return {
    type: 'date',
    season: datePart(reader, 'season', 91.5),
    dayOfWeek: datePart(reader, 'dayOfWeek', 1),
    weekend: datePart(reader, 'weekend', 1),
    customDays: customDays(reader),
    holiday: holiday(reader),
    timeOfDay: datePart(reader, 'timeOfDay', 4),
  };
}

/** A width or a [width, radius]; 0 or null leaves the part out. */
function datePart(reader: ParameterReader, key: string, defaultRadius: number): object | null {
  const value = reader.any(key) ?? 0;
  if (value === 0) return null;
  if (!Array.isArray(value)) return { w: value, radius: defaultRadius };
  const [w, radius] = listAt(value, reader.pathOf(key), 2, 2);
  return w === 0 ? null : { w, radius };
}

/** [width, days], a day being an English name or its first three letters. */
function customDays(reader: ParameterReader): object | null {
  const value = reader.any('customDays') ?? 0;
  if (value === 0) return null;
  const path = reader.pathOf('customDays');
  const [w, days] = listAt(value, path, 2, 2);
  if (w === 0) return null;
  const names = typeof days === 'string' ? [days] : listAt(days, `${path}.1`, 1, 7);
  return { w, days: names.map((name) => weekday(name, `${path}.1`)) };
}

function weekday(name: unknown, path: string): number {
  const wanted = typeof name === 'string' ? name.toLowerCase() : '';
  const day = WEEKDAYS.findIndex((full) => wanted === full || wanted === full.slice(0, 3));
  if (day < 0)
    throw new ModelParameterError(
      'wrong_type',
      path,
      `has ${describe(name)}, must have names of days such as "sat" or "Saturday"`,
    );
  return day;
}

function holiday(reader: ParameterReader): object | null {
  const w = reader.any('holiday') ?? 0;
  const given = reader.any('holidays') ?? [];
  if (w === 0) return null;
  const dates = listAt(given, reader.pathOf('holidays'), 0, 1000);
  return { w, dates: dates.length === 0 ? [[12, 25]] : dates };
}

const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
