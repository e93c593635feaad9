import type { ComponentChildren } from 'preact';
import type { Session } from '../api/session.ts';
import { zoneName } from '../model/format.ts';
import { INCIDENTS, OVERVIEW, type Route, SYSTEM, toFragment, TRY } from '../model/route.ts';
import type { Fleet } from '../state/fleet.ts';
import { theme, type Theme, zone } from '../state/preferences.ts';

const VIEWS = [
  { words: 'Metrics', route: OVERVIEW },
  { words: 'Incidents', route: INCIDENTS },
  { words: 'System', route: SYSTEM },
  { words: 'Try it', route: TRY },
] as const;

interface HeaderProperties {
  /** The one that is shown. */
  readonly view: Route['view'];
  readonly session: Session;
  readonly children: ComponentChildren;
}

/** The name, the ways to the views, the state of the connection, and what a person may choose for the whole page. */
export function Header({ view, session, children }: HeaderProperties) {
  return (
    <header class="header">
      <a class="brand" href={toFragment(OVERVIEW)}>
        HTM Engine
      </a>
      <nav aria-label="Views">
        {VIEWS.map(({ words, route }) => (
          <a key={words} href={toFragment(route)} aria-current={route.view === view ? 'page' : undefined}>
            {words}
          </a>
        ))}
      </nav>
      {children}
      <span class="spacer" />
      <label>
        <span class="label">Times</span>
        <select
          aria-label="Time zone"
          value={zone.value}
          onChange={({ currentTarget }) => (zone.value = currentTarget.value === 'utc' ? 'utc' : 'local')}
        >
          <option value="local">{`Local (${zoneName('local')})`}</option>
          <option value="utc">UTC</option>
        </select>
      </label>
      <label>
        <span class="label">Theme</span>
        <select
          aria-label="Theme"
          value={theme.value}
          onChange={({ currentTarget }) => (theme.value = currentTarget.value as Theme)}
        >
          <option value="auto">Auto</option>
          <option value="light">Light</option>
          <option value="dark">Dark</option>
        </select>
      </label>
      {session.token.value !== null && session.wanted.value === null && (
        <button type="button" onClick={() => session.signOut()}>
          Sign out
        </button>
      )}
    </header>
  );
}

/** Whether the page is live, in a word; why not stands in a notice of its own. */
export function ConnectionMark({ fleet }: { readonly fleet: Fleet }) {
  const { state } = fleet.connection.value;
  const words = { connecting: 'Connecting…', live: 'Live', away: 'Reconnecting…' }[state];
  return (
    <span class={`connection ${state}`} role="status">
      {words}
    </span>
  );
}
