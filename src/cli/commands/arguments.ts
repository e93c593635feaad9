import { InvalidArgumentError } from 'commander';

/** What commander calls to turn the text of an argument into its value. */
export function parseNumber(text: string): number {
  const number = text.trim() === '' ? NaN : Number(text);
  if (!Number.isFinite(number)) throw new InvalidArgumentError('it must be a finite number.');
  return number;
}

/** A whole number of things, at least one. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 100_000)
    throw new InvalidArgumentError('it must be a whole number from 1 to 100000.');
  return count;
}

export function parseShare(text: string): number {
  const share = parseNumber(text);
  if (share < 0 || share > 1) throw new InvalidArgumentError('it must be a number from 0 to 1.');
  return share;
}
