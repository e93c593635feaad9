import fc from 'fast-check';
import { expect, it } from 'vitest';
import { OVERVIEW, parseFragment, type Route, toFragment } from './route.ts';

it('every route has an address that leads back to it', () => {
  const overview = fc.record({
    view: fc.constant('overview' as const),
    filter: fc.string({ unit: 'grapheme' }),
    order: fc.constantFrom('anomaly' as const, 'name' as const),
  });
  const window = fc
    .tuple(fc.integer({ min: 0, max: 4e9 }), fc.integer({ min: 1, max: 1e8 }))
    .map(([from, length]) => ({ from, to: from + length }));
  const metric = fc.record({
    view: fc.constant('metric' as const),
    name: fc.string({ unit: 'grapheme', minLength: 1 }),
    window: fc.option(window),
  });
  fc.assert(
    fc.property(fc.oneof(overview, metric), (route: Route) => {
      expect(parseFragment(toFragment(route))).toEqual(route);
    }),
  );
});

it('reads what people type', () => {
  expect(parseFragment('')).toEqual(OVERVIEW);
  expect(parseFragment('#')).toEqual(OVERVIEW);
  expect(parseFragment('#/?order=sideways')).toEqual(OVERVIEW);
  expect(parseFragment('#/metric/a%2Fb?from=5&to=1')).toEqual({ view: 'metric', name: 'a/b', window: null });
  for (const lost of ['#/nowhere', '#/metric/', '#/metric/%E0%A4%A']) {
    expect(parseFragment(lost), lost).toEqual({ view: 'unknown' });
  }
});
