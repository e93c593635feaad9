import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { backoffDelayMs, retry, retryStore } from './backoff.ts';
import { HtmEngineError, hasCode } from './errors.ts';

const busy = new HtmEngineError('store_unavailable', 'busy');
const fast = {
  initialDelayMs: 1,
  maxDelayMs: 2,
  isRetriable: (error: unknown) => hasCode(error, 'store_unavailable'),
};

describe('backoffDelayMs', () => {
  it('doubles up to the highest delay and stays there, however many failures there were', () => {
    const backoff = { initialDelayMs: 100, maxDelayMs: 1000 };
    expect([1, 2, 3, 4, 5, 6, 5000].map((failures) => backoffDelayMs(failures, backoff))).toEqual([
      100, 200, 400, 800, 1000, 1000, 1000,
    ]);
  });
});

describe('retry', () => {
  it('repeats a retriable failure until it succeeds and tells each one', async () => {
    let attempts = 0;
    const told: [number, number][] = [];
    const result = await retry(
      () => {
        attempts += 1;
        return attempts < 4 ? Promise.reject(busy) : Promise.resolve('done');
      },
      {
        ...fast,
        signal: new AbortController().signal,
        onRetry: (error, failures, delayMs) => {
          expect(error).toBe(busy);
          told.push([failures, delayMs]);
        },
      },
    );
    expect(result).toBe('done');
    expect(told).toEqual([
      [1, 1],
      [2, 2],
      [3, 2],
    ]);
  });

  it('throws another failure on at once', async () => {
    let attempts = 0;
    const failure = new Error('constraint violated');
    const attempt = retry(
      () => {
        attempts += 1;
        return Promise.reject(failure);
      },
      { ...fast, signal: new AbortController().signal },
    );
    await expect(attempt).rejects.toBe(failure);
    expect(attempts).toBe(1);
  });

  it('ends a wait when it is aborted', async () => {
    const controller = new AbortController();
    let attempts = 0;
    const attempt = retry(
      () => {
        attempts += 1;
        return Promise.reject(busy);
      },
      {
        ...fast,
        initialDelayMs: 3_600_000,
        maxDelayMs: 3_600_000,
        signal: controller.signal,
        onRetry: () => controller.abort(),
      },
    );
    await expect(attempt).rejects.toMatchObject({ code: 'stopped' });
    expect(attempts).toBe(1);
  });

  it('makes the first attempt even after it was aborted, so that what is begun can be finished, but no second', async () => {
    let attempts = 0;
    const attempt = (result: () => Promise<string>) =>
      retry(
        () => {
          attempts += 1;
          return result();
        },
        { ...fast, signal: AbortSignal.abort() },
      );
    expect(await attempt(() => Promise.resolve('done'))).toBe('done');
    await expect(attempt(() => Promise.reject(busy))).rejects.toMatchObject({ code: 'stopped' });
    expect(attempts).toBe(2);
  });
});

describe('retryStore', () => {
  it('waits out an unavailable store and nothing else', async () => {
    const failures = [busy, new HtmEngineError('metric_not_found', 'gone')];
    const attempt = retryStore(new AbortController().signal, pino({ level: 'silent' }), () =>
      Promise.reject(failures.shift() ?? new Error('one attempt too many')),
    );
    await expect(attempt).rejects.toMatchObject({ code: 'metric_not_found' });
    expect(failures).toEqual([]);
  });
});
