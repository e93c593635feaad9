import { type ReadonlySignal, signal } from '@preact/signals';

/** Kept until the tab is closed; engines below different paths of one proxy have tokens of their own. */
const KEY = `htmengine.token ${new URL(document.baseURI).pathname}`;

/** The token that the page sends, where the engine wants one. */
export class Session {
  readonly #token = signal<string | null>(kept());
  readonly #wanted = signal<string | null>(null);

  /** Null: none is sent. */
  get token(): ReadonlySignal<string | null> {
    return this.#token;
  }

  /** Why the engine wants a token that it knows, in its words; null while it does not. */
  get wanted(): ReadonlySignal<string | null> {
    return this.#wanted;
  }

  /** The engine answered with 401 to what was sent with `token`; another may have been given meanwhile. */
  refused(token: string | null, why: string): void {
    if (token === this.#token.value) this.#wanted.value = why;
  }

  signIn(token: string): void {
    keep(token);
    this.#token.value = token;
    this.#wanted.value = null;
  }

  signOut(): void {
    keep(null);
    this.#token.value = null;
    this.#wanted.value = 'You have signed out.';
  }
}

function kept(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function keep(token: string | null): void {
  try {
    if (token === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, token);
  } catch {
    // A browser that keeps nothing: the token holds until the page is loaded anew.
  }
}
