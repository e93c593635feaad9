import { useState } from 'preact/hooks';
import type { ApiClient } from '../api/client.ts';
import type { Incident, IncidentPage } from '../api/contract.ts';
import { formatCount } from '../model/format.ts';
import { sortIncidents, whyNone } from '../model/incidents.ts';
import { beginOf, PERIODS, type Period, periodWords } from '../model/period.ts';
import { amend } from '../state/address.ts';
import type { Fleet } from '../state/fleet.ts';
import { usePolled } from '../state/polled.ts';
import { AwayNotice } from '../widgets/away-notice.tsx';
import { IncidentCard } from './incident-card.tsx';
import { Silences } from './silences.tsx';

/** Read anew this often, so that a new incident is seen soon. */
const REFRESH_MS = 5000;
/** Incidents of a section that are shown to begin with, and added on request. */
const SHOWN_AT_ONCE = 50;

interface IncidentsProperties {
  readonly client: ApiClient;
  readonly fleet: Fleet;
  readonly period: Period;
  /** Only the incidents of this metric. */
  readonly metric: string | null;
}

/** What is anomalous now and what was, across metrics, and what was said about it. */
export function Incidents({ client, fleet, period, metric }: IncidentsProperties) {
  const key = JSON.stringify([period, metric]);
  const polled = usePolled(
    () => client.incidents(beginOf(period, Date.now() / 1000), metric),
    key,
    REFRESH_MS,
  );
  const silences = usePolled(
    async () => ({ mutes: await client.mutes(), patterns: await client.usualPatterns() }),
    'silences',
    REFRESH_MS,
  );
  const { value: page, problem } = polled.state.value;
  const change = async (work: Promise<void>) => {
    await work;
    await Promise.all([polled.reread(), silences.reread()]);
  };
  const away = fleet.connection.value.state === 'away';
  return (
    <>
      <AwayNotice fleet={fleet} />
      <Toolbar period={period} metric={metric} />
      {problem !== null && !away && (
        <p class="banner bad" role="alert">
          The incidents could not be read: {problem}
        </p>
      )}
      {page === null && problem === null && (
        <p class="notice" role="status">
          Reading the incidents…
        </p>
      )}
      {page !== null && (
        <Sections key={key} page={page} fleet={fleet} period={period} client={client} onChange={change} />
      )}
      <Silences state={silences.state.value} fleet={fleet} client={client} onChange={change} />
    </>
  );
}

function Toolbar({ period, metric }: { readonly period: Period; readonly metric: string | null }) {
  return (
    <div class="toolbar">
      <h1>Incidents</h1>
      {metric !== null && (
        <span class="only">
          of <strong>{metric}</strong>{' '}
          <button type="button" onClick={() => amend({ view: 'incidents', period, metric: null })}>
            Show all
          </button>
        </span>
      )}
      <span class="spacer" />
      <select
        aria-label="Period"
        value={period}
        onChange={({ currentTarget }) => {
          const chosen = PERIODS.find((known) => known === currentTarget.value) ?? period;
          amend({ view: 'incidents', period: chosen, metric });
        }}
      >
        {PERIODS.map((each) => (
          <option key={each} value={each}>
            {periodWords(each)}
          </option>
        ))}
      </select>
    </div>
  );
}

interface SectionsProperties {
  readonly page: IncidentPage;
  readonly fleet: Fleet;
  readonly period: Period;
  readonly client: ApiClient;
  readonly onChange: (work: Promise<void>) => Promise<void>;
}

function Sections({ page, fleet, period, client, onChange }: SectionsProperties) {
  const { open, past, silenced } = sortIncidents(page.incidents);
  const list = (incidents: readonly Incident[]) => (
    <IncidentList incidents={incidents} client={client} onChange={onChange} />
  );
  return (
    <>
      {open.length + past.length === 0 && <Empty fleet={fleet} period={period} />}
      {open.length > 0 && (
        <section aria-label="Open incidents">
          <Title words="Open now" count={open.length} />
          {list(open)}
        </section>
      )}
      {past.length > 0 && (
        <section aria-label="Past incidents">
          <Title words="Past" count={past.length} />
          {list(past)}
        </section>
      )}
      {page.more && (
        <p class="muted">Older ones of this time are left out: choose a shorter period or a metric.</p>
      )}
      {silenced.length > 0 && (
        <details class="folded">
          <summary>
            Silenced <span class="count">{formatCount(silenced.length)}</span>
          </summary>
          {list(silenced)}
        </details>
      )}
    </>
  );
}

function Title({ words, count }: { readonly words: string; readonly count: number }) {
  return (
    <h2 class="above">
      {words} <span class="count">{formatCount(count)}</span>
    </h2>
  );
}

function Empty({ fleet, period }: { readonly fleet: Fleet; readonly period: Period }) {
  const reason = fleet.loaded.value ? whyNone(fleet.metrics.value.values()) : null;
  return (
    <section class="notice" role="status">
      <p>
        <strong>
          {period === 'all' ? 'No incidents.' : `No incidents: ${periodWords(period).toLowerCase()}.`}
        </strong>
      </p>
      <p>
        {reason ?? 'Everything that is monitored behaves as usual. A new incident appears here by itself.'}
      </p>
    </section>
  );
}

type IncidentListProperties = Pick<SectionsProperties, 'client' | 'onChange'> & {
  readonly incidents: readonly Incident[];
};

function IncidentList({ incidents, client, onChange }: IncidentListProperties) {
  const [shown, setShown] = useState(SHOWN_AT_ONCE);
  return (
    <>
      {incidents.slice(0, shown).map((incident) => (
        <IncidentCard key={incident.id} incident={incident} client={client} onChange={onChange} />
      ))}
      {incidents.length > shown && (
        <button type="button" onClick={() => setShown(shown + SHOWN_AT_ONCE)}>
          Show more ({formatCount(incidents.length - shown)} left)
        </button>
      )}
    </>
  );
}
