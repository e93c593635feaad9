import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expand } from './expand.ts';

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,10}$/);
/** What may stand before or after a variable: no reference begins in it, and none with what follows. */
const plain = fc.string().map((text) => text.replaceAll('$', ''));

describe('${NAME} in a value', () => {
  it('is the variable, and a default counts where it is not set or empty', () => {
    const environment = { A: 'one', EMPTY: '' };
    expect(expand('${A}-${A}', environment)).toEqual({ text: 'one-one' });
    expect(expand('${EMPTY}', environment)).toEqual({ text: '' });
    expect(expand('${EMPTY:-two}${NONE:-three}${A:-four}${NONE:-}', environment)).toEqual({
      text: 'twothreeone',
    });
    expect(expand('${NONE:-a:-b}', environment)).toEqual({ text: 'a:-b' });
  });

  it('is not looked for in what was put in', () => {
    expect(expand('${A}', { A: '${B}', B: 'no' })).toEqual({ text: '${B}' });
    expect(expand('${A:-$B}', {})).toEqual({ text: '$B' });
  });

  it.each(['${', '${}', '${1A}', '${A', '${A B}', '${A-b}', 'x${:-y}'])('%j is malformed', (text) => {
    expect(expand(text, { A: 'x' })).toEqual({ problem: expect.stringContaining('${NAME}') as string });
  });

  it('that is not set is named', () => {
    expect(expand('${A}${B}', { A: '' })).toEqual({
      problem: expect.stringContaining('variable B') as string,
    });
  });

  it('leaves all other text as it is', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!text.includes('${'));
        expect(expand(text, {})).toEqual({ text });
      }),
    );
  });

  it('puts any value in between any text', () => {
    fc.assert(
      fc.property(plain, name, fc.string(), plain, (before, variable, value, after) => {
        expect(expand(`${before}\${${variable}}${after}`, { [variable]: value })).toEqual({
          text: before + value + after,
        });
      }),
    );
  });

  it('any text can be written with "$${" for "${"', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('$', '{', '}', ':', '-', 'A') }), (text) => {
        expect(
          expand(
            text.replaceAll('${', () => '$${'),
            {},
          ),
        ).toEqual({ text });
      }),
    );
  });
});
