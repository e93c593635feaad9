import { ORDERS, type Order } from './arrange.ts';

/** A view and what it shows; every route has an address that can be shared. Times are epoch seconds. */
export type Route =
  | { readonly view: 'overview'; readonly filter: string; readonly order: Order }
  | { readonly view: 'metric'; readonly name: string; readonly window: Window | null }
  | { readonly view: 'unknown' };

/** A stretch of time, both ends included. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

export const OVERVIEW: Route = { view: 'overview', filter: '', order: 'anomaly' };

/** The fragment of the address (`#/...`): the part that a browser keeps to itself, so names reach no proxy's log. */
export function toFragment(route: Route): string {
  const query = new URLSearchParams();
  if (route.view === 'overview') {
    if (route.filter !== '') query.set('filter', route.filter);
    if (route.order !== 'anomaly') query.set('order', route.order);
    return withQuery('#/', query);
  }
  if (route.view === 'unknown') return '#/';
  if (route.window !== null) {
    query.set('from', String(Math.floor(route.window.from)));
    query.set('to', String(Math.ceil(route.window.to)));
  }
  return withQuery(`#/metric/${encodeURIComponent(route.name)}`, query);
}

/** The route that a fragment names; of what it does not understand it takes the default. */
export function parseFragment(fragment: string): Route {
  const [path, search = ''] = splitOnce(fragment.replace(/^#\/?/, ''), '?');
  const query = new URLSearchParams(search);
  if (path === '') {
    const order = ORDERS.find((known) => known === query.get('order')) ?? 'anomaly';
    return { view: 'overview', filter: query.get('filter') ?? '', order };
  }
  const [view, encoded = ''] = splitOnce(path, '/');
  const name = decode(encoded);
  if (view !== 'metric' || name === null || name === '') return { view: 'unknown' };
  return { view: 'metric', name, window: parseWindow(query) };
}

function parseWindow(query: URLSearchParams): Window | null {
  const from = Number(query.get('from') ?? NaN);
  const to = Number(query.get('to') ?? NaN);
  return from < to && Number.isFinite(to - from) ? { from, to } : null;
}

function withQuery(path: string, query: URLSearchParams): string {
  return query.size === 0 ? path : `${path}?${query.toString()}`;
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
