import { isLoopback } from '../../address.ts';
import { HtmEngineError } from '../../errors.ts';
import { RateLimit } from './rate-limit.ts';
import { readTokens, Tokens } from './tokens.ts';

/** What may change while the engine runs. */
export interface AccessRules {
  /** 0 is no limit. */
  readonly maxRequestsPerMinute: number;
  readonly tokens: string;
  readonly tokensFile: string;
}

export interface AccessOptions extends AccessRules {
  readonly host: string;
  /** Whether listening beyond loopback without tokens is wanted. */
  readonly insecure: boolean;
  /** Parted by commas. */
  readonly allowedHosts: string;
  /** Parted by commas. */
  readonly allowedOrigins: string;
}

/** Who may ask, and how often, at present. */
export class Access {
  readonly #options: Pick<AccessOptions, 'host' | 'insecure'>;
  #tokens: Tokens;
  #limit: RateLimit;

  /** @throws HtmEngineError `config_invalid` */
  constructor(options: AccessOptions) {
    this.#options = options;
    this.#tokens = this.#read(options);
    this.#limit = new RateLimit(options.maxRequestsPerMinute);
  }

  get tokens(): Tokens {
    return this.#tokens;
  }

  get limit(): RateLimit {
    return this.#limit;
  }

  /** Whether only the address, loopback, guards the engine. */
  get reliesOnLoopback(): boolean {
    return this.#tokens.size === 0 && isLoopback(this.#options.host);
  }

  /** Takes other rules over. @throws HtmEngineError `config_invalid`: then nothing has changed */
  update(rules: AccessRules): void {
    this.#tokens = this.#read(rules);
    if (rules.maxRequestsPerMinute !== this.#limit.perMinute) {
      this.#limit = new RateLimit(rules.maxRequestsPerMinute);
    }
  }

  #read({ tokens: text, tokensFile }: AccessRules): Tokens {
    const { host, insecure } = this.#options;
    const tokens = new Tokens([text, readTokens(tokensFile)]);
    if (tokens.size > 0 || isLoopback(host) || insecure) return tokens;
    throw new HtmEngineError(
      'config_invalid',
      `api.host is ${host}, which others reach, and there are no tokens: set api.tokens or api.tokensFile, or api.insecure to let everybody in`,
    );
  }
}
