import { formatCount } from './format.ts';

/** Beyond this the score says no more than that it is beyond. */
const MOST = 1e9;

/**
 * A log-likelihood (0..1) as how seldom it is: of so many rows one is as unusual as this, if the metric goes on as it did.
 * The score is the logarithm of that share, a tenth for each power of ten.
 */
export function howSeldom(logLikelihood: number): string {
  const rows = 10 ** (10 * Math.max(0, logLikelihood));
  if (rows >= MOST) return 'more unusual than 1 in 1,000,000,000 rows';
  const rounded = Number(rows.toPrecision(1));
  return rounded < 2 ? 'as usual as any row' : `as unusual as about 1 in ${formatCount(rounded)} rows`;
}
