import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkName, type Sample } from '../../metric.ts';
import {
  decodeSamples,
  encodeSamples,
  MAX_MESSAGE_BYTES,
  MAX_MESSAGE_SAMPLES,
  SAMPLES_CONTENT_TYPE,
  UndecodableMessage,
} from './sample-message.ts';

const decode = (message: Buffer) => decodeSamples(message, SAMPLES_CONTENT_TYPE);

const name = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 300 })
  .filter((text) => checkName(text) === null);
const sample: fc.Arbitrary<Sample> = fc.record(
  {
    name: fc.oneof(fc.constantFrom('cpu', 'mem'), name),
    value: fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .map((value) => (Object.is(value, -0) ? 0 : value)),
    timestamp: fc.integer({ min: 631_152_000, max: 99_999_999_999 }),
  },
  { noNullPrototype: true },
);
const samples = fc.array(sample, { minLength: 1, maxLength: 50 });

describe('a message of samples', () => {
  it('has the bytes that the format says', () => {
    const message = encodeSamples([
      { name: 'a', value: 1, timestamp: 631_152_000 },
      { name: 'é', value: -2.5, timestamp: 631_152_001 },
      { name: 'a', value: 0, timestamp: 99_999_999_999 },
    ]);
    expect(message.toString('hex')).toBe(
      '01' + // version
        '02' + '0161' + '02c3a9' + // two names
        '03' + // three samples
        '00' + '3ff0000000000000' + '0000259e9d80' +
        '01' + 'c004000000000000' + '0000259e9d81' +
        '00' + '0000000000000000' + '00174876e7ff',
    ); // prettier-ignore
  });

  it('is read as it was written', () => {
    fc.assert(
      fc.property(samples, (given) => {
        expect(decode(encodeSamples(given))).toStrictEqual(given);
      }),
    );
  });

  it('holds as many samples as it may, and no more', () => {
    const one = { name: 'm', value: 1, timestamp: 1_600_000_000 };
    const most = Array.from({ length: MAX_MESSAGE_SAMPLES }, () => one);
    expect(decode(encodeSamples(most))).toHaveLength(MAX_MESSAGE_SAMPLES);
    expect(() => encodeSamples([...most, one])).toThrow(RangeError);
    expect(() => encodeSamples([])).toThrow(RangeError);
  });

  it('fits in what is decoded, however long its names are', () => {
    const most = Array.from({ length: MAX_MESSAGE_SAMPLES }, (_, i) => ({
      name: '😀'.repeat(250) + String(i).padStart(5, '0'),
      value: 1,
      timestamp: 1_600_000_000,
    }));
    expect(encodeSamples(most).length).toBeLessThan(MAX_MESSAGE_BYTES);
  });

  it.each([
    ['of another type', encodeSamples([{ name: 'm', value: 1, timestamp: 1_600_000_000 }]), 'application/json'],
    ['without a type', encodeSamples([{ name: 'm', value: 1, timestamp: 1_600_000_000 }]), undefined],
    ['that is empty', Buffer.alloc(0), SAMPLES_CONTENT_TYPE],
    ['that is too long', Buffer.alloc(MAX_MESSAGE_BYTES + 1, 1), SAMPLES_CONTENT_TYPE],
    ['without samples', Buffer.from('01016d00'.replace('01016d', '0101016d'), 'hex'), SAMPLES_CONTENT_TYPE],
    ['that tells of more than there is', Buffer.from('01ffffff7f', 'hex'), SAMPLES_CONTENT_TYPE],
    ['with -0', encodeSamples([{ name: 'm', value: -0, timestamp: 1_600_000_000 }]), SAMPLES_CONTENT_TYPE],
    ['with NaN', encodeSamples([{ name: 'm', value: NaN, timestamp: 1_600_000_000 }]), SAMPLES_CONTENT_TYPE],
    ['with a time before 1990', encodeSamples([{ name: 'm', value: 1, timestamp: 1 }]), SAMPLES_CONTENT_TYPE],
    ['with a name no metric has', encodeSamples([{ name: '\n', value: 1, timestamp: 1_600_000_000 }]), SAMPLES_CONTENT_TYPE],
  ])('%s is undecodable', (_, message, contentType) => {
    expect(() => decodeSamples(message, contentType)).toThrow(UndecodableMessage);
  }); // prettier-ignore

  it('that is cut short or goes on is undecodable', () => {
    fc.assert(
      fc.property(samples, fc.nat(), fc.uint8Array({ minLength: 1 }), (given, cut, more) => {
        const message = encodeSamples(given);
        expect(() => decode(message.subarray(0, cut % message.length))).toThrow(UndecodableMessage);
        expect(() => decode(Buffer.concat([message, more]))).toThrow(UndecodableMessage);
      }),
    );
  });

  it('of any bytes is undecodable or holds proper samples', () => {
    const spoilt = fc.tuple(samples, fc.nat(), fc.nat(255)).map(([given, at, byte]) => {
      const message = encodeSamples(given);
      message[at % message.length] = byte;
      return message;
    });
    const anything = fc.oneof(
      spoilt,
      fc.uint8Array().map((bytes) => Buffer.from([1, ...bytes])),
    );
    fc.assert(
      fc.property(anything, (message) => {
        let decoded: Sample[];
        try {
          decoded = decode(message);
        } catch (error) {
          expect(error).toBeInstanceOf(UndecodableMessage);
          return;
        }
        for (const { name: text, value, timestamp } of decoded) {
          expect(checkName(text)).toBeNull();
          expect(Number.isFinite(value)).toBe(true);
          expect(timestamp).toBeGreaterThanOrEqual(631_152_000);
        }
      }),
      { numRuns: 500 },
    );
  });
});
