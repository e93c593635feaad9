import type { Arena, SectionSpec } from '../arena.ts';
import { DateEncoder } from './date.ts';
import type { DateEncoderParameters } from './date.ts';
import type { Encoder, ValueEncoder } from './encoder.ts';
import { RandomDistributedScalarEncoder } from './rdse.ts';
import type { RdseParameters } from './rdse.ts';
import { ScalarEncoder, scalarGeometry } from './scalar.ts';
import type { ScalarEncoderParameters } from './scalar.ts';

/** One encoder of a model: of the record's time (`date`) or of its value (the others). */
export type EncoderParameters =
  | ({ readonly type: 'date' } & DateEncoderParameters)
  | ({ readonly type: 'rdse' } & RdseParameters)
  | ({ readonly type: 'scalar' } & ScalarEncoderParameters);

/** Bits of an encoder with these parameters. */
export function encoderWidth(parameters: EncoderParameters): number {
  if (parameters.type === 'rdse') return parameters.n;
  return parameters.type === 'scalar' ? scalarGeometry(parameters).n : new DateEncoder(parameters).width;
}

/** Exclusive upper bound of the value's buckets: those of the first encoder of the value. 0 without one. */
export function valueBucketCount(encoders: readonly EncoderParameters[]): number {
  const ofValue = encoders.find(({ type }) => type !== 'date');
  if (!ofValue) return 0;
  return ofValue.type === 'rdse' ? RandomDistributedScalarEncoder.BUCKET_COUNT : encoderWidth(ofValue);
}

/** Several encoders side by side: their slices follow each other in the order given. Model reference, section 2.4. */
export class MultiEncoder {
  /** Sections the encoders own in the arena. */
  static schema(encoders: readonly EncoderParameters[]): SectionSpec[] {
    return encoders.flatMap((encoder) =>
      encoder.type === 'rdse' ? RandomDistributedScalarEncoder.schema() : [],
    );
  }

  /** New encoders over the zeroed sections `firstSection`, ... of `arena`. */
  static create(arena: Arena, firstSection: number, encoders: readonly EncoderParameters[]): MultiEncoder {
    return new MultiEncoder(encoders, firstSection, (section, parameters) =>
      RandomDistributedScalarEncoder.create(arena, section, parameters),
    );
  }

  /**
   * The encoders whose state is in the sections `firstSection`, ... of a loaded `arena`.
   * @throws ArenaFormatError when it is not a state they can have.
   */
  static attach(arena: Arena, firstSection: number, encoders: readonly EncoderParameters[]): MultiEncoder {
    return new MultiEncoder(encoders, firstSection, (section, parameters) =>
      RandomDistributedScalarEncoder.attach(arena, section, parameters),
    );
  }

  /** Bits of all slices together. */
  readonly width: number;
  /** On bits of the last record, in no particular order: the first `encode(...)` of them. */
  readonly onBits: Uint16Array;

  readonly #encoders: readonly { encoder: Encoder; offset: number; ofTime: boolean }[];
  readonly #firstOfValue: ValueEncoder | null;

  private constructor(
    encoders: readonly EncoderParameters[],
    firstSection: number,
    makeRdse: (section: number, parameters: RdseParameters) => RandomDistributedScalarEncoder,
  ) {
    let section = firstSection;
    let offset = 0;
    let firstOfValue: ValueEncoder | null = null;
    this.#encoders = encoders.map((parameters) => {
      const at = offset;
      let encoder: Encoder;
      if (parameters.type === 'date') {
        encoder = new DateEncoder(parameters);
      } else if (parameters.type === 'scalar') {
        const ofValue = new ScalarEncoder(parameters);
        firstOfValue ??= ofValue;
        encoder = ofValue;
      } else {
        const ofValue = makeRdse(section, parameters);
        firstOfValue ??= ofValue;
        encoder = ofValue;
        section += RandomDistributedScalarEncoder.schema().length;
      }
      offset += encoder.width;
      return { encoder, offset: at, ofTime: parameters.type === 'date' };
    });
    this.#firstOfValue = firstOfValue;
    this.width = offset;
    this.onBits = new Uint16Array(this.#encoders.reduce((sum, { encoder }) => sum + encoder.maxOnBits, 0));
  }

  /** The last record's bucket in the first encoder of the value; -1 if the value was missing. */
  get bucket(): number {
    return this.#firstOfValue?.bucket ?? -1;
  }

  /** Encodes one record into `onBits` and returns how many there are. NaN is missing. */
  encode(timestampSeconds: number, value: number): number {
    let count = 0;
    for (const { encoder, offset, ofTime } of this.#encoders) {
      count = encoder.encode(ofTime ? timestampSeconds : value, offset, this.onBits, count);
    }
    return count;
  }
}
