import { useEffect } from 'preact/hooks';
import type { ApiClient } from './api/client.ts';
import type { Session } from './api/session.ts';
import { Incidents } from './incidents/incidents.tsx';
import { MetricView } from './metric/metric-view.tsx';
import { OVERVIEW, type Route, toFragment } from './model/route.ts';
import { Overview } from './overview/overview.tsx';
import { route } from './state/address.ts';
import type { Fleet } from './state/fleet.ts';
import { System } from './system/system.tsx';
import { TryIt } from './try/try-it.tsx';
import { ConnectionMark, Header } from './widgets/header.tsx';
import { SignIn } from './widgets/sign-in.tsx';

interface ViewProperties {
  readonly client: ApiClient;
  readonly fleet: Fleet;
}

interface AppProperties extends ViewProperties {
  readonly session: Session;
}

/** The frame of every view. */
export function App({ client, fleet, session }: AppProperties) {
  const wanted = session.wanted.value;
  return (
    <>
      <a class="skip" href="#main" onClick={skipToMain}>
        Skip to the content
      </a>
      <Header view={route.value.view} session={session}>
        {wanted === null && <ConnectionMark fleet={fleet} />}
      </Header>
      <main id="main" tabIndex={-1}>
        {wanted === null ? (
          <View client={client} fleet={fleet} />
        ) : (
          <SignIn client={client} session={session} reason={wanted} />
        )}
      </main>
    </>
  );
}

function View({ client, fleet }: ViewProperties) {
  const shown = route.value;
  const title = titleOf(shown);
  useEffect(() => {
    document.title = title;
  }, [title]);
  switch (shown.view) {
    case 'overview':
      return <Overview client={client} fleet={fleet} shown={shown} />;
    case 'metric':
      return (
        <MetricView key={shown.name} client={client} fleet={fleet} name={shown.name} window={shown.window} />
      );
    case 'incidents':
      return <Incidents client={client} fleet={fleet} period={shown.period} metric={shown.metric} />;
    case 'system':
      return <System client={client} fleet={fleet} />;
    case 'try':
      return <TryIt />;
    case 'unknown':
      return (
        <section class="notice">
          <h1>There is no such page</h1>
          <p>
            <a href={toFragment(OVERVIEW)}>All metrics</a>
          </p>
        </section>
      );
  }
}

function titleOf(shown: Route): string {
  switch (shown.view) {
    case 'metric':
      return `${shown.name} · HTM Engine`;
    case 'incidents':
      return 'Incidents · HTM Engine';
    case 'system':
      return 'System · HTM Engine';
    case 'try':
      return 'Try it · HTM Engine';
    case 'overview':
    case 'unknown':
      return 'HTM Engine';
  }
}

/** The fragment is the route, so the link must not change it. */
function skipToMain(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}
