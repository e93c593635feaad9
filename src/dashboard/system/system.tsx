import { useState } from 'preact/hooks';
import type { ApiClient } from '../api/client.ts';
import type { EngineStatus } from '../api/contract.ts';
import { formatDuration } from '../model/format.ts';
import { Measurements } from '../model/measurements.ts';
import { type FigureGroup, type Readings, systemFigures } from '../model/system-figures.ts';
import type { Fleet } from '../state/fleet.ts';
import { usePolled } from '../state/polled.ts';
import { zone } from '../state/preferences.ts';
import { AwayNotice } from '../widgets/away-notice.tsx';

const REFRESH_MS = 5000;
/** Rates are those of the last minute or so: so many readings are kept. */
const KEPT_READINGS = 13;

interface SystemProperties {
  readonly client: ApiClient;
  readonly fleet: Fleet;
}

interface Reading extends Readings {
  readonly status: EngineStatus;
}

/** How the engine is: what it does, what waits, what it takes. */
export function System({ client, fleet }: SystemProperties) {
  const [watch] = useState(() => new Watch(client));
  const { value, problem } = usePolled(() => watch.read(), 'system', REFRESH_MS).state.value;
  const away = fleet.connection.value.state === 'away';
  return (
    <>
      <AwayNotice fleet={fleet} />
      <div class="toolbar">
        <h1>System</h1>
        <span class="spacer" />
        {value !== null && <span class="muted">{sinceWords(value)}</span>}
      </div>
      {problem !== null && !away && (
        <p class="banner bad" role="alert">
          The figures could not be read: {problem}
        </p>
      )}
      {value === null && problem === null && (
        <p class="notice" role="status">
          Reading the figures…
        </p>
      )}
      {value !== null && (
        <>
          <div class="system">
            {systemFigures(value.status, value, zone.value).map((group) => (
              <Group key={group.title} group={group} />
            ))}
          </div>
          <p class="muted">
            Counts are those of the process that serves this page since it began; each of several has its own
            at <code>/metrics</code>.
          </p>
        </>
      )}
    </>
  );
}

function Group({ group: { title, figures, none } }: { readonly group: FigureGroup }) {
  return (
    <section class="panel" aria-label={title}>
      <h2>{title}</h2>
      {figures.length === 0 ? (
        <p class="muted">{none}</p>
      ) : (
        <dl class="figures">
          {figures.map(({ term, words, bad = false }) => (
            <div key={term} class={bad ? 'bad' : undefined}>
              <dt>{term}</dt>
              <dd>{words}</dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}

function sinceWords({ now, before }: Reading): string {
  const seconds = (now.at - before.at) / 1000;
  return seconds < 1 ? 'rates follow in a moment' : `rates are those of the last ${formatDuration(seconds)}`;
}

/** Reads again and again, and keeps what it read for a while. */
class Watch {
  readonly #client: ApiClient;
  #kept: Measurements[] = [];

  constructor(client: ApiClient) {
    this.#client = client;
  }

  /** @throws ApiError */
  async read(): Promise<Reading> {
    const [status, text] = await Promise.all([this.#client.status(), this.#client.measurements()]);
    const now = new Measurements(text, Date.now());
    this.#kept = [...this.#kept, now].slice(-KEPT_READINGS);
    return { status, now, before: this.#kept[0] ?? now };
  }
}
