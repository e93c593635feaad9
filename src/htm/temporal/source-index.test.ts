import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SourceIndex } from './source-index.ts';

const GROUPS = 4;
/** Also numbers on both sides of where a bank ends. */
const SEGMENTS = [0, 1, 2, 32_767, 32_768, 32_769, 70_000];

const synapse = fc.record({
  source: fc.oneof(fc.constantFrom(0, 31, 32, 63), fc.nat(GROUPS * 32 - 1)),
  segment: fc.constantFrom(...SEGMENTS),
});

describe('SourceIndex', () => {
  it('counts the synapses from active cells, and the connected ones among them', () => {
    const changes = fc.array(fc.tuple(synapse, fc.boolean()), { maxLength: 200 });
    const atFirst = fc.uniqueArray(fc.tuple(synapse, fc.boolean()), {
      selector: ([{ source, segment }]) => `${source}:${segment}`,
      maxLength: 100,
    });
    const cells = fc.uniqueArray(fc.nat(GROUPS * 32 - 1), { maxLength: 100 });
    fc.assert(
      fc.property(atFirst, changes, cells, (given, made, activeCells) => {
        const sources = Uint16Array.from(given, ([{ source }]) => source);
        const uses = Uint32Array.from(given, ([{ segment }, flag]) => segment * 2 + (flag ? 1 : 0));
        const index = SourceIndex.of(GROUPS, sources, uses);
        /** Of the synapses there are: whether they are connected. */
        const synapses = new Map(given.map(([{ source, segment }, flag]) => [`${source}:${segment}`, flag]));
        for (const [{ source, segment }, flag] of made) {
          const key = `${source}:${segment}`;
          const connected = synapses.get(key);
          if (connected === undefined) {
            index.add(source, segment, flag ? 1 : 0);
            synapses.set(key, flag);
          } else if (connected !== flag) {
            index.setConnected(source, segment, flag ? 1 : 0);
            synapses.set(key, flag);
          } else {
            index.remove(source, segment, flag ? 1 : 0);
            synapses.delete(key);
          }
        }
        const active = new Uint32Array(GROUPS);
        for (const cell of activeCells) active[cell >>> 5] |= 1 << (cell & 31);
        const groups = Uint16Array.from([0, 1, 2, 3].filter((group) => active[group] !== 0));
        const counts = new Uint32Array(70_001);
        index.count(active, groups, groups.length, counts);
        for (const segment of SEGMENTS) {
          const counted = [...synapses].filter(([key]) => {
            const [source, to] = key.split(':').map(Number) as [number, number];
            return to === segment && activeCells.includes(source);
          });
          const connected = counted.filter(([, isConnected]) => isConnected);
          expect([counts[segment] & 0xffff, counts[segment] >>> 16]).toEqual([
            counted.length,
            connected.length,
          ]);
        }
      }),
    );
  });

  it('does not overlook a change of what it does not have', () => {
    const index = new SourceIndex(GROUPS);
    index.add(3, 1, 0);
    expect(() => index.setConnected(3, 1, 0)).toThrow(/no synapse/);
    expect(() => index.remove(3, 1, 1)).toThrow(/no synapse/);
  });
});
