import { ORDERS, type Order } from './arrange.ts';
import { PERIODS, type Period } from './period.ts';

/** A view and what it shows; every route has an address that can be shared. Times are epoch seconds. */
export type Route =
  | { readonly view: 'overview'; readonly filter: string; readonly order: Order; readonly grouped: boolean }
  | { readonly view: 'metric'; readonly name: string; readonly window: Window | null }
  /** `metric`: only those of this metric. */
  | { readonly view: 'incidents'; readonly period: Period; readonly metric: string | null }
  | { readonly view: 'system' }
  | { readonly view: 'try' }
  | { readonly view: 'unknown' };

/** A stretch of time, both ends included. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

export const OVERVIEW: Route = { view: 'overview', filter: '', order: 'anomaly', grouped: false };
const DEFAULT_PERIOD: Period = 'week';
export const INCIDENTS: Route = { view: 'incidents', period: DEFAULT_PERIOD, metric: null };
export const SYSTEM: Route = { view: 'system' };
export const TRY: Route = { view: 'try' };

/** The fragment of the address (`#/...`): the part that a browser keeps to itself, so names reach no proxy's log. */
export function toFragment(route: Route): string {
  const query = new URLSearchParams();
  if (route.view === 'overview') {
    if (route.filter !== '') query.set('filter', route.filter);
    if (route.order !== 'anomaly') query.set('order', route.order);
    if (route.grouped) query.set('group', 'prefix');
    return withQuery('#/', query);
  }
  if (route.view === 'unknown') return '#/';
  if (route.view === 'system' || route.view === 'try') return `#/${route.view}`;
  if (route.view === 'incidents') {
    if (route.period !== DEFAULT_PERIOD) query.set('period', route.period);
    if (route.metric !== null) query.set('metric', route.metric);
    return withQuery('#/incidents', query);
  }
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
    const grouped = query.get('group') === 'prefix';
    return { view: 'overview', filter: query.get('filter') ?? '', order, grouped };
  }
  if (path === 'incidents') {
    const period = PERIODS.find((known) => known === query.get('period')) ?? DEFAULT_PERIOD;
    return { view: 'incidents', period, metric: query.get('metric') };
  }
  if (path === 'system' || path === 'try') return { view: path };
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
