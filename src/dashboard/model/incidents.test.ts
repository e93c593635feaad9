import { describe, expect, it } from 'vitest';
import { aSpan, anIncident } from '../testing/incidents.ts';
import { aMetric } from '../testing/metrics.ts';
import { incidentTitle, lasted, sortIncidents, timeOfDay, whyNone, windowOf } from './incidents.ts';

describe('incidents', () => {
  it('are open, past, or silenced whether open or past', () => {
    const silence = { by: 'mute', id: '1' } as const;
    const open = anIncident(aSpan('a', 10));
    const past = anIncident(aSpan('b', 10, { ended: true }));
    const muted = anIncident(aSpan('c', 10, { silence }));
    const mutedPast = anIncident(aSpan('d', 10, { silence, ended: true }));
    expect(sortIncidents([open, muted, past, mutedPast])).toEqual({
      open: [open],
      past: [past],
      silenced: [muted, mutedPast],
    });
  });

  it('are called by the metric that began, and how many more there are, each counted once', () => {
    expect(incidentTitle(anIncident(aSpan('b', 1), aSpan('b', 5)))).toBe('b');
    expect(incidentTitle(anIncident(aSpan('b', 1), aSpan('a', 2), aSpan('b', 5)))).toBe(
      'b and one more metric',
    );
    expect(incidentTitle(anIncident(aSpan('b', 1), aSpan('a', 2), aSpan('c', 2)))).toBe(
      'b and 2 more metrics',
    );
  });

  it('last from the first anomalous row to the last', () => {
    expect(lasted({ openedAt: 100, lastAt: 100 })).toBe('one row');
    expect(lasted({ openedAt: 100, lastAt: 100 + 5400 })).toBe('1 h 30 min');
  });
});

it('a span is looked at with three hours, or its own length, on each side', () => {
  expect(windowOf(aSpan('a', 100_000, { lastAt: 100_300 }))).toEqual({ from: 89_200, to: 111_100 });
  expect(windowOf(aSpan('a', 100_000, { lastAt: 120_000 }))).toEqual({ from: 80_000, to: 140_000 });
});

it('tells when in the day a pattern holds', () => {
  expect(timeOfDay({ fromMinute: null, toMinute: null })).toBe('any time of day');
  expect(timeOfDay({ fromMinute: 1385, toMinute: 65 })).toBe('23:05 to 01:05 UTC');
});

it('tells why there is no incident: nothing monitored, or learning', () => {
  const learning = { rows: 5, of: 388 };
  expect(whyNone([aMetric('a', { state: 'UNMONITORED' })])).toMatch(/^No metric is monitored yet/);
  expect(whyNone([aMetric('a', { learning }), aMetric('b')])).toMatch(/^1 of 2 monitored metrics are still/);
  expect(whyNone([aMetric('a', { learning }), aMetric('b', { learning })])).toMatch(/^All 2 monitored/);
  expect(whyNone([aMetric('a'), aMetric('b', { learning, state: 'ERROR' })])).toBeNull();
});
