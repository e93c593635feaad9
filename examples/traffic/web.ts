import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { EngineClient } from 'htmengine/client';
import { secondOf } from './city.ts';
import type { Source } from './source.ts';

const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
};
const HEADERS = {
  'content-security-policy': "default-src 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};
/** Scores of the last hour decide a route's colour. */
const RECENT_ROWS = 12;
const CHART_POINTS = 600;
const LISTED_ANOMALIES = 12;

/** The application's own page and what it asks for; everything comes from the engine's HTTP interface. */
export function webServer(source: Source, client: EngineClient): Server {
  const answers: Readonly<Record<string, (query: URLSearchParams) => Promise<unknown>>> = {
    '/city.json': () =>
      Promise.resolve({ title: source.title, simulated: source.isSimulated, routes: source.routes }),
    '/state.json': () => state(source, client),
    '/series.json': (query) => series(source, client, query),
  };
  return createServer((request, response) => {
    void answer(request, response, answers);
  });
}

async function answer(
  { method, url = '/' }: IncomingMessage,
  response: ServerResponse,
  answers: Readonly<Record<string, (query: URLSearchParams) => Promise<unknown>>>,
): Promise<void> {
  const send = (status: number, type: string, body: string | Buffer) =>
    response.writeHead(status, { ...HEADERS, 'content-type': type }).end(body);
  try {
    const { pathname, searchParams } = new URL(url, 'http://page');
    const [file, type] = FILES[pathname] ?? [];
    const data = answers[pathname];
    if (method !== 'GET') send(405, 'text/plain', 'only GET\n');
    else if (file !== undefined && type !== undefined)
      send(200, type, await readFile(join(import.meta.dirname, 'page', file)));
    else if (data !== undefined) send(200, 'application/json', JSON.stringify(await data(searchParams)));
    else send(404, 'text/plain', 'not here\n');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (!response.headersSent) send(502, 'application/json', JSON.stringify({ problem: reason }));
  }
}

interface EngineIncident {
  readonly spans: readonly {
    readonly name: string;
    readonly openedAt: number;
    readonly lastAt: number;
    readonly ended: boolean;
  }[];
}

/** What each route does now, and the last anomalies. */
async function state(source: Source, client: EngineClient): Promise<unknown> {
  const ids = new Set(source.routes.map(({ id }) => id));
  const routes: Record<string, unknown> = {};
  let now = 0;
  for await (const page of client.metricPages(RECENT_ROWS)) {
    for (const { name, lastValue, lastTimestamp, learning, recent } of page) {
      if (!ids.has(name)) continue;
      now = Math.max(now, lastTimestamp ?? 0);
      routes[name] = { speed: lastValue, learning, anomaly: Math.max(0, ...(recent ?? [])) };
    }
  }
  const planted = source.planted(now);
  const { incidents } = await client.http.json<{ incidents: readonly EngineIncident[] }>('/api/v1/incidents');
  const anomalies = incidents
    .flatMap(({ spans }) => spans)
    .filter(({ name }) => ids.has(name))
    .sort((a, b) => b.openedAt - a.openedAt)
    .slice(0, LISTED_ANOMALIES)
    .map(({ name, openedAt, lastAt, ended }) => ({
      route: name,
      from: openedAt,
      to: lastAt,
      open: !ended,
      cause:
        planted.find(
          ({ route, from, to }) =>
            route === name && openedAt >= secondOf(from) && openedAt <= secondOf(to + 12),
        )?.kind ?? null,
    }));
  return { now, routes, anomalies };
}

/** Speed and anomaly of one route over the last `hours`. */
async function series(source: Source, client: EngineClient, query: URLSearchParams): Promise<unknown> {
  const id = query.get('route') ?? '';
  const hours = Math.min(Math.max(Number(query.get('hours') ?? 48) || 48, 1), 24 * 28);
  if (!source.routes.some((route) => route.id === id)) return { buckets: [] };
  const { lastTimestamp } = await client.metric(id);
  const to = lastTimestamp ?? 0;
  return { buckets: await client.buckets(id, CHART_POINTS, { from: to - 3600 * hours, to }) };
}
