import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StoreFixture, timeOf } from '../../test/conformance/store/fixture.ts';
import type { AnomalySpan } from '../store/incidents.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { IncidentService } from './incidents.ts';

const HOUR = 3600;
let directory: string;
let store: Store;
let fixture: StoreFixture;
let now: number;
let service: IncidentService;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'htmengine-incidents-'));
  store = await openSqliteStore({ path: join(directory, 'incidents.db'), busyTimeoutMs: 1000 });
  fixture = await StoreFixture.create({
    store,
    reopen: () => Promise.resolve(store),
    execute: () => Promise.resolve(),
    select: () => Promise.resolve([]),
    appendAndBeKilled: () => Promise.resolve(),
    dispose: () => Promise.resolve(),
  });
  now = timeOf(1);
  service = new IncidentService({ store: store.incidents, nowSeconds: () => now, gapSeconds: 60 });
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

/** A metric that was anomalous at these times with values in these ranges. @returns its id. */
async function anomalous(
  name: string,
  ...spans: { openedAt: number; values: readonly [number, number] }[]
): Promise<string> {
  const metricId = await fixture.monitored(name, 20);
  await store.log.recordRawScores(fixture.raw(metricId, 0, 20));
  const kept = spans.map(({ openedAt, values: [lowestValue, highestValue] }, i): AnomalySpan => {
    const at = { openedAt, lastAt: openedAt, peakAt: openedAt };
    return {
      ...at,
      openedRowid: i + 1,
      lastRowid: i + 1,
      peakScore: 1,
      lowestValue,
      highestValue,
      ended: true,
    };
  });
  await store.log.recordAnomalyScores(fixture.scored(metricId, 0, 20, { spans: kept }));
  return metricId;
}

async function silences(): Promise<[string, string | null][]> {
  const { incidents } = await service.list({});
  return incidents.flatMap(({ spans }) =>
    spans.map(({ name, openedRowid, silence }): [string, string | null] => [
      `${name} ${openedRowid}`,
      silence?.by ?? null,
    ]),
  );
}

describe('IncidentService', () => {
  it('groups spans of several metrics, newest first', async () => {
    await anomalous('a', { openedAt: timeOf(1), values: [1, 2] });
    await anomalous('b', { openedAt: timeOf(2), values: [1, 2] }, { openedAt: timeOf(9), values: [1, 2] });
    const { incidents, more } = await service.list({});
    expect(more).toBe(false);
    expect(incidents.map(({ spans }) => spans.map(({ name }) => name))).toEqual([['b'], ['a', 'b']]);
  });

  it('acknowledges spans with a note', async () => {
    const metricId = await anomalous('a', { openedAt: timeOf(1), values: [1, 2] });
    expect(await service.acknowledge([{ metricId, generation: 1, openedRowid: 1 }], 'on it')).toBe(1);
    expect((await service.list({})).incidents).toMatchObject([
      { acknowledged: true, spans: [{ acknowledgement: { atTimestamp: now, note: 'on it' } }] },
    ]);
  });

  it('mutes what opens from now on, while the mute lasts, by pattern', async () => {
    now = timeOf(5);
    const mute = await service.mute('web.*', timeOf(8), 'maintenance');
    await anomalous(
      'web.1',
      { openedAt: timeOf(4), values: [1, 2] },
      { openedAt: timeOf(5), values: [1, 2] },
      { openedAt: timeOf(8), values: [1, 2] },
      { openedAt: timeOf(9), values: [1, 2] },
    );
    await anomalous('db', { openedAt: timeOf(6), values: [1, 2] });
    expect(new Map(await silences())).toEqual(
      new Map([
        ['web.1 1', null],
        ['web.1 2', 'mute'],
        ['web.1 3', 'mute'],
        ['web.1 4', null],
        ['db 1', null],
      ]),
    );
    await service.unmute(mute.id);
    expect((await silences()).every(([, by]) => by === null)).toBe(true);
    await expect(service.unmute(mute.id)).rejects.toMatchObject({ code: 'not_silenced' });
  });

  it('calls a span usual: those of the same metric, values and time of day are silent', async () => {
    const midnight = 86_400 * 20_000;
    const metricId = await anomalous(
      'a',
      { openedAt: midnight + HOUR / 2, values: [10, 20] },
      { openedAt: midnight + 86_400 - HOUR / 2, values: [9, 21] },
      { openedAt: midnight + 2 * 86_400 + HOUR / 2, values: [10, 22] },
      { openedAt: midnight + 3 * 86_400 + 12 * HOUR, values: [10, 20] },
    );
    await anomalous('b', { openedAt: midnight + HOUR / 2, values: [10, 20] });
    const key = { metricId, generation: 1, openedRowid: 1 };
    const pattern = await service.callUsual(key, { note: 'backup' });
    expect(pattern).toMatchObject({ lowestValue: 9, highestValue: 21, fromMinute: 1410, toMinute: 90 });
    expect(new Map(await silences())).toEqual(
      new Map([
        ['a 1', 'usual'],
        ['a 2', 'usual'],
        ['a 3', null],
        ['a 4', null],
        ['b 1', null],
      ]),
    );
    await service.callUsual(key, { anyTime: true });
    expect(new Map(await silences()).get('a 4')).toBe('usual');
    expect(await service.usualPatterns(metricId)).toHaveLength(2);
    await service.forgetUsual(pattern.id);
    expect(await service.usualPatterns()).toHaveLength(1);
    await expect(service.forgetUsual(pattern.id)).rejects.toMatchObject({ code: 'not_silenced' });
  });

  it('calls a span of one row usual: others need not have the very same value', async () => {
    const midnight = 86_400 * 20_000;
    const metricId = await anomalous(
      'a',
      { openedAt: midnight, values: [100, 100] },
      { openedAt: midnight + 86_400, values: [104, 104] },
      { openedAt: midnight + 2 * 86_400, values: [106, 106] },
    );
    await service.callUsual({ metricId, generation: 1, openedRowid: 1 });
    expect(new Map(await silences())).toEqual(
      new Map([
        ['a 1', 'usual'],
        ['a 2', 'usual'],
        ['a 3', null],
      ]),
    );
  });

  it.each<[string, () => Promise<unknown>, string]>([
    ['a time that is over', () => service.mute('a', now), 'invalid_argument'],
    ['an empty pattern', () => service.mute('', null), 'invalid_argument'],
    ['a pattern longer than a name', () => service.mute('a'.repeat(256), null), 'invalid_argument'],
    ['a long note', () => service.mute('a', null, 'n'.repeat(1001)), 'invalid_argument'],
    ['no spans', () => service.acknowledge([]), 'invalid_argument'],
    [
      'times the wrong way round',
      () => service.list({ fromTimestamp: 2, toTimestamp: 1 }),
      'invalid_argument',
    ],
    [
      'a span that is not there',
      () => service.callUsual({ metricId: 'a'.repeat(32), generation: 1, openedRowid: 1 }),
      'span_not_found',
    ],
  ])('refuses %s', async (_, call, code) => {
    await expect(call()).rejects.toMatchObject({ code });
  });
});
