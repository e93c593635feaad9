import { describe, expect, it } from 'vitest';
import { groupSpans, type JudgedSpan } from './grouping.ts';

function span(metricId: string, openedAt: number, lastAt: number, overrides: Partial<JudgedSpan> = {}) {
  const judged: JudgedSpan = {
    metricId,
    name: metricId,
    generation: 1,
    openedRowid: openedAt,
    openedAt,
    lastRowid: lastAt,
    lastAt,
    peakScore: 0.99999,
    peakAt: openedAt,
    lowestValue: 0,
    highestValue: 1,
    ended: true,
    acknowledgement: null,
    silence: null,
    ...overrides,
  };
  return judged;
}

const seen = { acknowledgement: { atTimestamp: 1, note: '' } };

describe('groupSpans', () => {
  it('joins what overlaps or lies within the gap, also through a third', () => {
    const incidents = groupSpans(
      [span('c', 2100, 2200), span('a', 1000, 1500), span('b', 1400, 2000), span('d', 2301, 2400)],
      100,
    );
    expect(incidents.map(({ id, spans }) => [id, spans.map(({ name }) => name)])).toEqual([
      ['d:1:2301', ['d']],
      ['a:1:1000', ['a', 'b', 'c']],
    ]);
  });

  it('looks at the latest end so far, not at that of the span before', () => {
    const incidents = groupSpans([span('a', 0, 1000), span('b', 10, 20), span('c', 900, 950)], 0);
    expect(incidents).toHaveLength(1);
  });

  it('is open while any span is, and acknowledged when all are', () => {
    const [incident] = groupSpans([span('a', 0, 10, { ended: false, ...seen }), span('b', 5, 20)], 0);
    expect(incident).toMatchObject({ open: true, acknowledged: false, openedAt: 0, lastAt: 20 });
    const [other] = groupSpans([span('a', 0, 10, { ...seen, peakScore: 0.9 }), span('b', 5, 6, seen)], 0);
    expect(other).toMatchObject({ open: false, acknowledged: true, peakScore: 0.99999 });
  });

  it('keeps silenced spans apart', () => {
    const silence = { by: 'mute', id: 'm' } as const;
    const incidents = groupSpans([span('a', 0, 10), span('b', 5, 20, { silence }), span('c', 15, 30)], 4);
    expect(incidents.map(({ silenced, spans }) => [silenced, spans.map(({ name }) => name)])).toEqual([
      [false, ['c']],
      [true, ['b']],
      [false, ['a']],
    ]);
  });
});
