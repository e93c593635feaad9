import type { ModelRange } from '../api/contract.ts';

/** The range that a person typed: null where both are empty. @throws Error that says in words what is wrong */
export function parseRange(min: string, max: string): ModelRange | null {
  if (min.trim() === '' && max.trim() === '') return null;
  if (min.trim() === '' || max.trim() === '') throw new Error('Give both ends of the range, or neither.');
  const range = { min: parseNumber(min), max: parseNumber(max) };
  if (range.min >= range.max) throw new Error('The lowest value must be below the highest.');
  return range;
}

function parseNumber(text: string): number {
  const number = Number(text.trim());
  if (!Number.isFinite(number)) throw new Error(`“${text}” is not a number; write it as in -12.5.`);
  return number;
}
