import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { HtmEngineError } from '../../errors.ts';

/** What a token lets its holder do: `write` includes `read`. */
export type Scope = 'read' | 'write';

/** Who a token belongs to. */
export interface Holder {
  /** For the log. */
  readonly name: string;
  readonly scope: Scope;
}

interface Token extends Holder {
  readonly hash: Buffer;
}

const MIN_CHARACTERS = 16;
const MAX_TOKENS = 1000;
const ENTRY = /^(read|write)\s+([\w.@-]{1,64})\s+(\S+)$/;
const HASHED = /^sha256:([0-9a-f]{64})$/i;

/** The tokens that are known, as hashes: what is compared tells nothing of how near a guess was. */
export class Tokens {
  readonly #tokens: readonly Token[];

  /** @param texts lists of entries, see `parse`. @throws HtmEngineError `config_invalid`, which never shows a token */
  constructor(texts: readonly string[]) {
    this.#tokens = texts.flatMap(parse);
    if (this.#tokens.length > MAX_TOKENS)
      throw invalid(`${this.#tokens.length} tokens, at most ${MAX_TOKENS}`);
  }

  get size(): number {
    return this.#tokens.length;
  }

  /** Whose token it is, or null. Every known token is looked at, whichever it is. */
  holderOf(given: string): Holder | null {
    const hash = hashOf(given);
    let found: Holder | null = null;
    for (const token of this.#tokens) if (timingSafeEqual(token.hash, hash)) found = token;
    return found;
  }
}

/** The text of a file of tokens; '' if none is named. @throws HtmEngineError `config_invalid` */
export function readTokens(file: string): string {
  if (file === '') return '';
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw invalid(`cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** An entry is `read` or `write`, a name and the token or `sha256:` and its hash; a line each, or parted by `;`. `#` begins a comment. */
function parse(text: string): Token[] {
  return text
    .split(/[\n;]/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line, i) => {
      const [, scope, name = '', secret = ''] = ENTRY.exec(line) ?? [];
      if (scope === undefined) {
        throw invalid(`entry ${i + 1} is not "read NAME TOKEN" or "write NAME TOKEN"`);
      }
      const [, hex] = HASHED.exec(secret) ?? [];
      if (hex === undefined && secret.length < MIN_CHARACTERS) {
        throw invalid(`the token ${name} has less than ${MIN_CHARACTERS} characters`);
      }
      const hash = hex === undefined ? hashOf(secret) : Buffer.from(hex, 'hex');
      return { scope: scope as Scope, name, hash };
    });
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

function invalid(what: string): HtmEngineError {
  return new HtmEngineError('config_invalid', `api.tokens and api.tokensFile: ${what}`);
}
