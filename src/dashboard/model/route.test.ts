import fc from 'fast-check';
import { expect, it } from 'vitest';
import { INCIDENTS, OVERVIEW, parseFragment, type Route, SYSTEM, toFragment, TRY } from './route.ts';

it('every route has an address that leads back to it', () => {
  const overview = fc.record({
    view: fc.constant('overview' as const),
    filter: fc.string({ unit: 'grapheme' }),
    order: fc.constantFrom('anomaly' as const, 'week' as const, 'name' as const),
    grouped: fc.boolean(),
  });
  const window = fc
    .tuple(fc.integer({ min: 0, max: 4e9 }), fc.integer({ min: 1, max: 1e8 }))
    .map(([from, length]) => ({ from, to: from + length }));
  const metric = fc.record({
    view: fc.constant('metric' as const),
    name: fc.string({ unit: 'grapheme', minLength: 1 }),
    window: fc.option(window),
  });
  const incidents = fc.record({
    view: fc.constant('incidents' as const),
    period: fc.constantFrom('day' as const, 'week' as const, 'all' as const),
    metric: fc.option(fc.string({ unit: 'grapheme' })),
  });
  fc.assert(
    fc.property(fc.oneof(overview, metric, incidents, fc.constantFrom(SYSTEM, TRY)), (route: Route) => {
      expect(parseFragment(toFragment(route))).toEqual(route);
    }),
  );
});

it('reads what people type', () => {
  expect(parseFragment('')).toEqual(OVERVIEW);
  expect(parseFragment('#')).toEqual(OVERVIEW);
  expect(parseFragment('#/?order=sideways')).toEqual(OVERVIEW);
  expect(parseFragment('#/incidents?period=eternity')).toEqual(INCIDENTS);
  expect(parseFragment('#/metric/a%2Fb?from=5&to=1')).toEqual({ view: 'metric', name: 'a/b', window: null });
  for (const lost of ['#/nowhere', '#/metric/', '#/metric/%E0%A4%A']) {
    expect(parseFragment(lost), lost).toEqual({ view: 'unknown' });
  }
});
