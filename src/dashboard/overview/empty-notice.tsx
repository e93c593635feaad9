import { Copyable } from '../widgets/copyable.tsx';

/** What to do when there is no metric yet. */
export function EmptyNotice() {
  const address = new URL('api/v1/samples', document.baseURI).href;
  const send = `curl ${address} -H 'content-type: application/json' -d '[{"name": "my.first.metric", "value": 42}]'`;
  return (
    <section class="notice">
      <h1>No metrics yet</h1>
      <p>Send a first one: a name and a value, now and then again. It appears here by itself.</p>
      <Copyable text={send} />
      <p>
        Graphite senders work as they are: point them at the engine’s listener, port 2003 unless it was
        configured. Or see it with data at once:
      </p>
      <Copyable text="htmengine up --demo" />
    </section>
  );
}
