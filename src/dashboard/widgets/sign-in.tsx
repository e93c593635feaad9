import { useEffect, useRef, useState } from 'preact/hooks';
import { inWords } from '../api/api-error.ts';
import type { ApiClient } from '../api/client.ts';
import type { Session } from '../api/session.ts';

interface SignInProperties {
  readonly client: ApiClient;
  readonly session: Session;
  /** Why a token is wanted. */
  readonly reason: string;
}

/** Asks for the token that the engine wants, and keeps it once the engine knows it. */
export function SignIn({ client, session, reason }: SignInProperties) {
  const input = useRef<HTMLInputElement>(null);
  const [token, setToken] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => input.current?.focus(), []);

  const submit = async () => {
    setBusy(true);
    try {
      if (await client.knows(token.trim())) session.signIn(token.trim());
      else setProblem('The engine does not know this token.');
    } catch (error) {
      setProblem(inWords(error));
    }
    setBusy(false);
  };
  return (
    <section class="notice">
      <h1>Sign in</h1>
      <p>{reason}</p>
      <form
        class="sign-in"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <label>
          Token
          <input
            ref={input}
            type="password"
            autoComplete="current-password"
            required
            pattern="\S+"
            title="A token has no blanks"
            value={token}
            onInput={({ currentTarget }) => setToken(currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary" disabled={busy}>
          Sign in
        </button>
      </form>
      {problem !== null && (
        <p class="banner bad" role="alert">
          {problem}
        </p>
      )}
      <p class="muted">
        It is one of the engine’s <code>api.tokens</code>; with scope read it may look at everything and
        change nothing. This tab keeps it until it is closed.
      </p>
    </section>
  );
}
