import { signal, type ReadonlySignal } from '@preact/signals';
import { parseFragment, type Route, toFragment } from '../model/route.ts';

const current = signal<Route>(parseFragment(location.hash));
addEventListener('hashchange', () => (current.value = parseFragment(location.hash)));

/** The view that the address names. */
export const route: ReadonlySignal<Route> = current;

/** Writes what changed within a view (a filter, a zoom) into the address without a step in the history. */
export function amend(to: Route): void {
  history.replaceState(null, '', toFragment(to));
  current.value = to;
}
