import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameFilter } from './selection.ts';

describe('names and patterns', () => {
  it.each([
    ['web.*', 'web.a', true],
    ['web.*', 'web.', true],
    ['web.*', 'webxa', false],
    ['*.cpu', 'a.b.cpu', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a?c', 'a😀c', true],
    ['a.[bc]', 'a.b', false],
    ['*', 'anything at all', true],
  ])('%s and %s: %s', (pattern, name, expected) => {
    expect(nameFilter([pattern])(name)).toBe(expected);
  });

  it('none stand for all, several for each of them', () => {
    expect(nameFilter([])('x')).toBe(true);
    expect(['a', 'b1', 'c'].filter(nameFilter(['a', 'b*']))).toEqual(['a', 'b1']);
  });

  it('any name means itself with exact, and is found by stars around a part of it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string(), (name, other) => {
        expect(nameFilter([name], { exact: true })(name)).toBe(true);
        if (other !== name) expect(nameFilter([name], { exact: true })(other)).toBe(false);
        if (!/[*?]/.test(name)) expect(nameFilter([`*${name}*`])(`${other}${name}${other}`)).toBe(true);
      }),
    );
  });
});
