import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LeastRecentlyUsed } from './ceiling.ts';

it('chooses those used longest ago, the first among equals', () => {
  const use = fc.oneof(fc.nat(5), fc.constantFrom(65_535, 65_536, 65_537, 4_294_967_295), fc.nat(2 ** 31));
  const lru = new LeastRecentlyUsed();
  fc.assert(
    fc.property(fc.array(use, { minLength: 1, maxLength: 50 }), fc.nat(), (uses, n) => {
      const count = 1 + (n % uses.length);
      lru.begin(uses.length);
      for (const lastUse of uses) lru.add(lastUse);
      lru.choose(count);
      const chosen = uses.map((lastUse) => lru.takes(lastUse));
      const oldest = uses.map((_, i) => i).sort((i, j) => uses[i] - uses[j] || i - j);
      expect(chosen).toEqual(uses.map((_, i) => oldest.indexOf(i) < count));
    }),
  );
});
