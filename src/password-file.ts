import { readFileSync } from 'node:fs';
import { HtmEngineError } from './errors.ts';

/**
 * The password in the first line of a file; undefined without a file.
 * @param setting which setting names it, for the message
 * @throws HtmEngineError `config_invalid`
 */
export function passwordFrom(file: string, setting: string): string | undefined {
  if (file === '') return undefined;
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/, 1)[0];
  } catch (error) {
    throw new HtmEngineError(
      'config_invalid',
      `${setting}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
