import { describe, expect, it } from 'vitest';
import { RateLimit } from './rate-limit.ts';

describe('the rate limit', () => {
  it('lets a minute of requests through at once and then as many as a minute has', () => {
    let now = 0;
    const limit = new RateLimit(60, () => now);
    for (let i = 0; i < 60; i += 1) expect(limit.take('a')).toBe(0);
    expect(limit.take('a')).toBe(1000);
    expect(limit.take('b')).toBe(0);
    now = 999;
    expect(limit.take('a')).toBeCloseTo(1, 6);
    now = 1001;
    expect(limit.take('a')).toBe(0);
    expect(limit.take('a')).toBeGreaterThan(900);
    now = 3_600_000;
    for (let i = 0; i < 60; i += 1) expect(limit.take('a')).toBe(0);
    expect(limit.take('a')).toBe(1000);
  });

  it('remembers a bounded number of clients', () => {
    const limit = new RateLimit(1, () => 0);
    for (let i = 0; i < 25_000; i += 1) limit.take(String(i));
    expect(limit.clients).toBe(10_000);
    expect(limit.take('24999')).toBeGreaterThan(0);
  });
});
