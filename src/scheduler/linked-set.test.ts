import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LinkedSet } from './linked-set.ts';

it('behaves as a list without repeats, whatever is added and removed', () => {
  const operations = fc.array(fc.record({ add: fc.boolean(), insert: fc.boolean(), value: fc.nat(8) }), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(operations, (steps) => {
      const set = new LinkedSet<number>();
      let list: number[] = [];
      for (const { add, insert, value } of steps) {
        if (add) {
          set.add(value);
          if (!list.includes(value)) list.push(value);
        } else if (insert) {
          set.insert(value, (other) => other > value);
          const at = list.findIndex((other) => other > value);
          if (!list.includes(value)) list.splice(at < 0 ? list.length : at, 0, value);
        } else {
          set.delete(value);
          list = list.filter((other) => other !== value);
        }
        expect(Array.from(set)).toEqual(list);
        expect([set.size, set.first, set.last]).toEqual([list.length, list[0] ?? null, list.at(-1) ?? null]);
      }
      // Emptied from the front, it gives its members in order.
      const drained: number[] = [];
      for (let first = set.first; first !== null; first = set.first) {
        drained.push(first);
        set.delete(first);
      }
      expect(drained).toEqual(list);
    }),
  );
});
