import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasCode } from '../errors.ts';
import type { CheckpointName } from './checkpoint-store.ts';
import { decodeCheckpoint, encodeCheckpoint } from './codec.ts';

const NAME: CheckpointName = {
  metricId: '00112233445566778899aabbccddeeff',
  generation: 3,
  rowid: 1200,
  revision: 7,
};

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (hasCode(error, 'checkpoint_damaged')) return error.code;
    throw error;
  }
  return 'none';
}

/** Compressible and not, as model states are. */
const states = fc.oneof(
  fc.uint8Array({ maxLength: 3000 }),
  fc.tuple(fc.uint8Array({ maxLength: 200 }), fc.nat(20_000)).map(([head, zeros]) => {
    const state = new Uint8Array(head.length + zeros);
    state.set(head);
    return state;
  }),
);

describe('checkpoint codec', () => {
  it('gives back the state it was given, the empty one too', () => {
    fc.assert(
      fc.property(states, (state) => {
        expect(Buffer.compare(decodeCheckpoint(NAME, encodeCheckpoint(NAME, state)), state)).toBe(0);
      }),
    );
  });

  it('writes its header as documented', () => {
    const bytes = encodeCheckpoint(NAME, new Uint8Array(5));
    const header = new DataView(bytes.buffer);
    expect(Buffer.from(bytes.subarray(0, 4)).toString('latin1')).toBe('HTMC');
    expect(header.getUint32(4, true)).toBe(1);
    expect(Buffer.from(bytes.subarray(8, 24)).toString('hex')).toBe(NAME.metricId);
    expect([24, 28, 32].map((offset) => header.getUint32(offset, true))).toEqual([3, 1200, 7]);
    expect(header.getBigUint64(36, true)).toBe(5n);
    expect(header.getBigUint64(44, true)).toBe(BigInt(bytes.length - 84));
    // SHA-256 of five zero bytes.
    expect(Buffer.from(bytes.subarray(52, 84)).toString('hex')).toBe(
      '8855508aade16ec573d21e6a485dfd0a7624085c1a14b5ecdd6485de0c6839a4',
    );
  });

  it('refuses every cut and every extension', () => {
    const bytes = encodeCheckpoint(
      NAME,
      Uint8Array.from({ length: 400 }, (_, i) => (i * i) & 255),
    );
    for (let length = 0; length < bytes.length; length++) {
      expect(codeOf(() => decodeCheckpoint(NAME, bytes.subarray(0, length)))).toBe('checkpoint_damaged');
    }
    const extended = new Uint8Array(bytes.length + 1);
    extended.set(bytes);
    expect(codeOf(() => decodeCheckpoint(NAME, extended))).toBe('checkpoint_damaged');
  });

  it('never gives a wrong state for flipped bits: refused, or the state as it was', () => {
    const state = Uint8Array.from({ length: 300 }, (_, i) => (i * 37) & 255);
    const bytes = encodeCheckpoint(NAME, state);
    let refused = 0;
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Uint8Array.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      let decoded: Uint8Array;
      try {
        decoded = decodeCheckpoint(NAME, flipped);
      } catch (error) {
        expect(hasCode(error, 'checkpoint_damaged')).toBe(true);
        refused++;
        continue;
      }
      expect(Buffer.compare(decoded, state)).toBe(0);
    }
    expect(refused).toBeGreaterThan(bytes.length * 7);
  });

  it('refuses zeroed and random bytes', () => {
    expect(codeOf(() => decodeCheckpoint(NAME, new Uint8Array(4096)))).toBe('checkpoint_damaged');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        expect(codeOf(() => decodeCheckpoint(NAME, bytes))).toBe('checkpoint_damaged');
      }),
    );
  });

  it.each([
    ['metric', { metricId: 'ffffffffffffffffffffffffffffffff' }],
    ['generation', { generation: 4 }],
    ['row', { rowid: 1201 }],
    ['revision', { revision: 8 }],
  ])('refuses what was encoded for another %s', (_, other) => {
    const bytes = encodeCheckpoint({ ...NAME, ...other }, new Uint8Array(10));
    expect(codeOf(() => decodeCheckpoint(NAME, bytes))).toBe('checkpoint_damaged');
  });

  it('refuses a state beyond the cap, and one that unpacks to more than it declares', () => {
    const bytes = encodeCheckpoint(NAME, new Uint8Array(100_000));
    expect(codeOf(() => decodeCheckpoint(NAME, bytes, 99_999))).toBe('checkpoint_damaged');
    expect(decodeCheckpoint(NAME, bytes, 100_000)).toHaveLength(100_000);
    new DataView(bytes.buffer).setBigUint64(36, 50_000n, true);
    expect(codeOf(() => decodeCheckpoint(NAME, bytes))).toBe('checkpoint_damaged');
  });

  it('takes a metric id that is not 32 hex digits for a mistake of the caller', () => {
    for (const metricId of ['', 'xyz', NAME.metricId.slice(1), `${NAME.metricId}00`, 'z'.repeat(32)]) {
      expect(() => encodeCheckpoint({ ...NAME, metricId }, new Uint8Array(1))).toThrow(TypeError);
    }
  });
});
