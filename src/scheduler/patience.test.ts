import { pino } from 'pino';
import { Counter } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { HtmEngineError } from '../errors.ts';
import { Patience } from './patience.ts';

const away = new HtmEngineError('store_unavailable', 'away');

function patience(signal = new AbortController().signal) {
  const waits: number[] = [];
  const faults = new Counter({ name: 'faults', help: 'faults', registers: [] });
  const clock = {
    now: () => 0,
    sleep: async (ms: number, given: AbortSignal) => {
      await Promise.resolve();
      given.throwIfAborted();
      waits.push(ms);
    },
  };
  return { waits, patience: new Patience(pino({ level: 'silent' }), faults, clock, signal), faults };
}

/** Fails `times` times with `error`, then gives 'done'. */
function failing(times: number, error: unknown): () => Promise<string> {
  let left = times;
  return async () => {
    await Promise.resolve();
    if (left-- > 0) throw error;
    return 'done';
  };
}

describe('patience', () => {
  it('insists however long the store is away, with a back-off that doubles up to 5 s', async () => {
    const { waits, patience: one, faults } = patience();
    expect(await one.insist('write', failing(1_000, away))).toBe('done');
    expect(waits.slice(0, 9)).toEqual([50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    expect(Math.max(...waits)).toBe(5000);
    expect((await faults.get()).values[0]?.value).toBe(1_000);
  });

  it('tries a read four times and then gives up', async () => {
    const { waits, patience: one } = patience();
    expect(await one.read('read', failing(3, away))).toBe('done');
    await expect(one.read('read', failing(4, away))).rejects.toBe(away);
    expect(waits).toHaveLength(6);
  });

  it('does not repeat what failed for another reason', async () => {
    const { waits, patience: one } = patience();
    const mistake = new TypeError('a mistake');
    await expect(one.insist('write', failing(1, mistake))).rejects.toBe(mistake);
    await expect(one.read('read', failing(1, mistake))).rejects.toBe(mistake);
    expect(waits).toEqual([]);
  });

  it('ends with the scheduler', async () => {
    const ending = new AbortController();
    const { patience: one } = patience(ending.signal);
    ending.abort();
    await expect(one.insist('write', failing(9, away))).rejects.toMatchObject({ code: 'stopped' });
    await expect(one.wait(1)).rejects.toMatchObject({ code: 'stopped' });
  });
});
