import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ownerOf } from './sharing.ts';

it('gives every partition to one member, the same in every order of them, as many to each or one more', () => {
  const members = fc.uniqueArray(fc.uuid(), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(members, fc.integer({ min: 1, max: 64 }), (all, partitions) => {
      const counts = new Map(all.map((member) => [member, 0]));
      for (let partition = 0; partition < partitions; partition++) {
        const owner = ownerOf(partition, all) ?? '';
        expect(ownerOf(partition, all.toReversed())).toBe(owner);
        counts.set(owner, (counts.get(owner) ?? NaN) + 1);
      }
      const shares = [...counts.values()];
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
    }),
  );
});
