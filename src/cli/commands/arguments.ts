import { InvalidArgumentError } from 'commander';
import { DEFAULT_CEILING } from '../../generation.ts';
import { type Ceiling, checkCeiling } from '../../htm/index.ts';

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

/** What `--ceiling` says; commander takes a bare null for an empty text. */
export interface CeilingArgument {
  readonly limits: Ceiling | null;
}

/** `on` (the engine's default), `off` (null), or segments and synapses with a comma between them. */
export function parseCeiling(text: string): CeilingArgument {
  if (text === 'on') return { limits: DEFAULT_CEILING };
  if (text === 'off') return { limits: null };
  if (!/^\d+,\d+$/.test(text))
    throw new InvalidArgumentError('it must be on, off, or SEGMENTS,SYNAPSES such as 45000,1080000.');
  const [maxSegments = NaN, maxSynapses = NaN] = text.split(',').map(Number);
  const limits = { maxSegments, maxSynapses };
  try {
    checkCeiling(limits);
  } catch (error) {
    throw error instanceof RangeError ? new InvalidArgumentError(`${error.message}.`) : error;
  }
  return { limits };
}
