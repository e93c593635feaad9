import type { Fleet } from '../state/fleet.ts';

/** Says that the engine is away, why, and that the page goes on trying. */
export function AwayNotice({ fleet }: { readonly fleet: Fleet }) {
  const connection = fleet.connection.value;
  if (connection.state !== 'away') return null;
  return (
    <p class="banner bad" role="alert">
      <strong>{connection.reason}</strong>{' '}
      {fleet.loaded.value
        ? 'What you see is as it was last. The page goes on by itself when the engine is back.'
        : 'Is it running? The page goes on by itself when it answers.'}
    </p>
  );
}
