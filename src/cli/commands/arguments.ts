import { InvalidArgumentError } from 'commander';

/** What commander calls to turn the text of an argument into its value. */
export function parsePort(text: string): number {
  const port = text.trim() === '' ? NaN : Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError('a port is a whole number from 0 to 65535.');
  return port;
}

export function parseNumber(text: string): number {
  const number = text.trim() === '' ? NaN : Number(text);
  if (!Number.isFinite(number)) throw new InvalidArgumentError('it must be a finite number.');
  return number;
}
