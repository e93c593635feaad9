import { describe, expect, it } from 'vitest';
import { RangeRule } from './range-rule.ts';

/** Model reference, sections 7.7 and 12.6. */
describe('range rule', () => {
  const after = (...earlier: number[]) => {
    const rule = new RangeRule();
    for (const value of earlier) rule.next(value);
    return rule;
  };

  it.each([
    [20.5, false],
    [20.51, true],
    [9.5, false],
    [9.49, true],
    [15, false],
  ])('after 10 and 20, %d is outside: %s', (value, outside) => {
    expect(after(10, 20).next(value)).toBe(outside);
  });

  it('is silent until two values differ', () => {
    expect(after().next(1e9)).toBe(false);
    expect(after(7).next(1e9)).toBe(false);
    expect(after(7, 7).next(1e9)).toBe(false);
  });

  it('widens the range by what was outside', () => {
    const rule = after(10, 20, 100);
    expect(rule.next(104)).toBe(false);
    expect(rule.next(110)).toBe(true);
  });
});
