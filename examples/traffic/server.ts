import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** What the page asks for. */
export interface PageData {
  state(): Promise<unknown>;
  /** Null where there is no such route. */
  rows(routeId: string): Promise<unknown>;
  /** Null where nothing can be planted. */
  plant(routeId: string): unknown;
}

export interface PageServer {
  readonly address: string;
  close(): Promise<void>;
}

const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/map.js': ['map.js', 'text/javascript; charset=utf-8'],
  '/chart.js': ['chart.js', 'text/javascript; charset=utf-8'],
  '/style.css': ['style.css', 'text/css; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
};
const HEADERS = {
  'content-security-policy': "default-src 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};
const ROUTE_PATH = /^\/api\/routes\/([^/]+)\/(rows|incident)$/;

/** Serves the page on this machine alone. @param port 0 for any that is free @throws Error if it cannot listen there */
export async function servePage(port: number, data: PageData): Promise<PageServer> {
  const server = createServer((request, response) => {
    answer(request, response, data).catch((error: unknown) => {
      send(response, 503, { error: error instanceof Error ? error.message : String(error) });
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    address,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, data: PageData): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
  if (isForeign(request)) {
    send(response, 403, { error: 'only a page of this very address may ask' });
    return;
  }
  const file = FILES[pathname];
  const [, id = '', what] = ROUTE_PATH.exec(pathname) ?? [];
  const method = what === 'incident' ? 'POST' : 'GET';
  if (file === undefined && what === undefined && pathname !== '/api/state') {
    send(response, 404, { error: `there is nothing at ${pathname}` });
    return;
  }
  if (request.method !== method) {
    send(response, 405, { error: `${pathname} takes ${method}` });
    return;
  }
  if (file !== undefined) {
    const [name, type] = file;
    response.writeHead(200, { ...HEADERS, 'content-type': type });
    response.end(await readFile(join(import.meta.dirname, 'page', name)));
    return;
  }
  if (what === undefined) {
    send(response, 200, await data.state());
    return;
  }
  const found = what === 'rows' ? await data.rows(id) : data.plant(id);
  if (found === null) {
    send(response, 404, { error: `no route ${id} on which that can be done` });
    return;
  }
  send(response, 200, found);
}

/** Whether another page in somebody's browser asks, under its own name or through one that it points here. */
function isForeign({ headers }: IncomingMessage): boolean {
  const { host = '', origin } = headers;
  if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host)) return true;
  return origin !== undefined && origin !== `http://${host}`;
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { ...HEADERS, 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
