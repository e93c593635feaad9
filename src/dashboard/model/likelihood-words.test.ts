import { expect, it } from 'vitest';
import { howSeldom } from './likelihood-words.ts';

it.each([
  [0, 'as usual as any row'],
  [-4e-12, 'as usual as any row'],
  [0.1, 'as unusual as about 1 in 10 rows'],
  [0.3, 'as unusual as about 1 in 1,000 rows'],
  [0.5, 'as unusual as about 1 in 100,000 rows'],
  [0.534, 'as unusual as about 1 in 200,000 rows'],
  [1, 'more unusual than 1 in 1,000,000,000 rows'],
])('a log-likelihood of %s: %s', (score, words) => {
  expect(howSeldom(score)).toBe(words);
});
