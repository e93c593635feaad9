import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SourceIndex } from './source-index.ts';

const GROUPS = 4;
/** Also places on both sides of where a bank ends. */
const PLACES = [0, 1, 31, 32, 65_535, 65_536, 65_537, 140_000];

const synapse = fc.record({
  source: fc.oneof(fc.constantFrom(0, 31, 32, 63), fc.nat(GROUPS * 32 - 1)),
  place: fc.constantFrom(...PLACES),
});

describe('SourceIndex', () => {
  it('marks the places of the synapses from active cells', () => {
    const atFirst = fc.uniqueArray(synapse, { selector: ({ place }) => place });
    const changes = fc.array(fc.tuple(synapse, fc.constantFrom(...PLACES)), { maxLength: 200 });
    const cells = fc.uniqueArray(fc.nat(GROUPS * 32 - 1), { maxLength: 100 });
    fc.assert(
      fc.property(atFirst, changes, cells, (given, made, activeCells) => {
        const index = SourceIndex.of(
          GROUPS,
          Uint16Array.from(given, ({ source }) => source),
          Uint32Array.from(given, ({ place }) => place),
        );
        /** Per place that has a synapse its source. */
        const synapses = new Map(given.map(({ source, place }) => [place, source]));
        for (const [{ source, place }, other] of made) {
          const present = synapses.get(place);
          if (present === undefined) {
            index.add(source, place);
            synapses.set(place, source);
          } else if (synapses.has(other)) {
            index.remove(present, place);
            synapses.delete(place);
          } else {
            index.move(present, place, other);
            synapses.delete(place);
            synapses.set(other, present);
          }
        }
        const active = new Uint32Array(GROUPS);
        for (const cell of activeCells) active[cell >>> 5] |= 1 << (cell & 31);
        const groups = Uint16Array.from([0, 1, 2, 3].filter((group) => active[group] !== 0));
        const marks = new Int32Array(5000);
        index.mark(active, groups, groups.length, marks);
        for (const place of PLACES) {
          const source = synapses.get(place);
          const isActive = source !== undefined && activeCells.includes(source);
          expect((marks[place >>> 5] >>> (place & 31)) & 1).toBe(isActive ? 1 : 0);
        }
      }),
    );
  });

  it('does not overlook the removal of what it does not have', () => {
    const index = new SourceIndex(GROUPS);
    index.add(3, 1);
    expect(() => index.remove(3, 2)).toThrow(/no synapse/);
  });
});
