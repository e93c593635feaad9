import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameMatcher } from './name-pattern.ts';

describe('nameMatcher', () => {
  it.each([
    ['cpu', 'cpu', true],
    ['cpu', 'cpu2', false],
    ['cpu*', 'cpu', true],
    ['cpu*', 'cpu.load', true],
    ['*.load', 'cpu.load', true],
    ['*.load', 'cpu.load5', false],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-c-b', false],
    ['c?u', 'cpu', true],
    ['c?u', 'cu', false],
    ['??', '\u{1f600}\u{1f601}', true],
    ['*', '', true],
    ['', '', true],
    ['?', '', false],
    ['a.c', 'abc', false],
    ['**', 'any', true],
  ])('%j on %j: %j', (pattern, name, expected) => {
    expect(nameMatcher(pattern)(name)).toBe(expected);
  });

  it('agrees with a regular expression', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 8 });
    const patterns = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 6 });
    fc.assert(
      fc.property(patterns, text, (pattern, name) => {
        const source = pattern.replaceAll('.', '\\.').replaceAll('?', '.').replaceAll(/\*+/g, '.*');
        expect(nameMatcher(pattern)(name)).toBe(new RegExp(`^${source}$`, 's').test(name));
      }),
      { numRuns: 2000 },
    );
  });

  it('is done at once with many stars on a long name', () => {
    expect(nameMatcher('*a'.repeat(120) + 'b')('a'.repeat(255))).toBe(false);
  });
});
