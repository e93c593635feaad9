import { checkName, MAX_NAME_CHARACTERS } from '../../metric.ts';
import type { SampleJson } from '../../client/types.ts';
import { parseTime, parseValue, shown } from '../../csv/cell-values.ts';

/** A sample as a person typed it, or what is wrong with it. */
export type GivenValue =
  | { readonly sample: SampleJson; readonly wrong?: undefined }
  | { readonly wrong: string; readonly sample?: undefined };

/** The sample of three texts. @param time epoch seconds or ISO 8601; without it the engine takes the present time. */
export function givenValue(name: string, value: string, time?: string): GivenValue {
  if (checkName(name) !== null)
    return {
      wrong: `${shown(name)} is not the name of a metric: 1 to ${MAX_NAME_CHARACTERS} characters, no control characters`,
    };
  const number = parseValue(value);
  if (number.wrong !== undefined) return { wrong: number.wrong };
  if (time === undefined) return { sample: { name, value: number.number } };
  const seconds = parseTime(time);
  if (seconds.wrong !== undefined) return { wrong: seconds.wrong };
  return { sample: { name, value: number.number, timestamp: seconds.number } };
}

/**
 * The sample of a line of text: `name value [time]`, or only `value [time]` where the name is known; null for an
 * empty one.
 */
export function givenLine(line: string, metric?: string): GivenValue | null {
  const words = line.trim().split(/\s+/);
  if (words[0] === '') return null;
  const [name = '', value, ...time] = metric === undefined ? words : [metric, ...words];
  if (value === undefined) return { wrong: `${shown(line)} holds no value: a line is "name value [time]"` };
  return givenValue(name, value, time.length === 0 ? undefined : time.join(' '));
}
