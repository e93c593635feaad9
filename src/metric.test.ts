import { describe, expect, it } from 'vitest';
import { MetricStatus, checkName, nextStatus, toSample } from './metric.ts';

const { UNMONITORED, ACTIVE, CREATE_PENDING, ERROR, PENDING_DATA } = MetricStatus;

describe('states of a metric', () => {
  it('change as the original says, and in no other way', () => {
    expect(nextStatus(UNMONITORED, 'monitor')).toBe(CREATE_PENDING);
    expect(nextStatus(UNMONITORED, 'awaitData')).toBe(PENDING_DATA);
    expect(nextStatus(PENDING_DATA, 'activate')).toBe(CREATE_PENDING);
    expect(nextStatus(CREATE_PENDING, 'modelBuilt')).toBe(ACTIVE);
    expect(nextStatus(ACTIVE, 'fail')).toBe(ERROR);
    for (const status of [ACTIVE, CREATE_PENDING, ERROR, PENDING_DATA])
      expect(nextStatus(status, 'unmonitor')).toBe(UNMONITORED);
    expect(nextStatus(ACTIVE, 'monitor')).toBeNull();
    expect(nextStatus(ERROR, 'modelBuilt')).toBeNull();
    expect(nextStatus(UNMONITORED, 'fail')).toBeNull();
  });
});

describe('names', () => {
  it('are 1-255 characters of any script without control characters', () => {
    expect(checkName('a')).toBeNull();
    expect(checkName('城市.交通 #1/x;k=v')).toBeNull();
    expect(checkName('😀'.repeat(255))).toBeNull();
    expect(checkName('😀'.repeat(256))).toBe('name_too_long');
    expect(checkName('a'.repeat(256))).toBe('name_too_long');
    expect(checkName('a'.repeat(1_000_000))).toBe('name_too_long');
    for (const bad of ['', 'a\nb', 'a\u0000', '\u007f', '\u0085', '\ud800'])
      expect(checkName(bad)).toBe('name_invalid');
  });
});

describe('samples', () => {
  const NOW = 1_700_000_000;
  const refusal = (value: number, timestamp?: number) => toSample('m', value, timestamp, NOW).refused;

  it('get whole seconds, now for a missing time, and no negative zero', () => {
    expect(toSample('m', -0, 1_600_000_000.9, NOW).sample).toStrictEqual({
      name: 'm',
      value: 0,
      timestamp: 1_600_000_000,
    });
    expect(toSample('m', 1, -1, NOW).sample?.timestamp).toBe(NOW);
    expect(toSample('m', 1, undefined, NOW).sample?.timestamp).toBe(NOW);
  });

  it('are refused for the reason that applies', () => {
    expect(refusal(NaN)).toBe('value_not_finite');
    expect(refusal(-Infinity)).toBe('value_not_finite');
    expect(refusal(1, NaN)).toBe('time_invalid');
    expect(refusal(1, 631_151_999)).toBe('time_before_1990');
    expect(refusal(1, 631_152_000)).toBeUndefined();
    expect(refusal(1, NOW * 1000)).toBe('time_in_milliseconds');
    expect(refusal(1, NOW + 86_400)).toBeUndefined();
    expect(refusal(1, NOW + 86_401)).toBe('time_too_far_ahead');
  });
});
