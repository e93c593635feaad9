import { connect } from 'node:net';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openApiDocument } from '../../src/api/openapi.ts';
import type { ConfigInput } from '../../src/config.ts';
import { Engine } from '../../src/engine.ts';
import { EngineProcess, temporaryDirectory, until } from '../support/engine-process.ts';

/** Who may use the HTTP interface, and what a hostile client may make it do. */
const READER = 'reader-token-0123456789';
const WRITER = 'writer-token-0123456789';
const TOKENS = `read grafana ${READER}; write deploy ${WRITER}`;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let engine: Engine | null = null;

beforeEach(async () => {
  directory = await temporaryDirectory();
});
afterEach(async () => {
  await engine?.stop();
  engine = null;
  await directory.remove();
});

function settings(api: ConfigInput['api']): ConfigInput {
  return {
    dataDirectory: directory.path,
    listener: { graphite: { enabled: false } },
    scheduler: { workers: 1 },
    api: { port: 0, ...api },
    log: { level: 'silent' },
  };
}

async function start(api: ConfigInput['api'] = {}): Promise<number> {
  engine = new Engine(settings(api));
  await engine.start();
  return engine.addresses.http?.port ?? 0;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

/** Sends bytes as they are and reads until the server ends the connection. */
async function raw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  return text(socket);
}

describe('tokens', () => {
  it('are wanted on every route but those that ask whether the process lives, and the page’s own files', async () => {
    const port = await start({ tokens: TOKENS });
    const routes = Object.entries(openApiDocument('test').paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => [method.toUpperCase(), path.replaceAll(/\{\w+\}/g, 'x')] as const),
    );
    const others = [
      ['GET', '/docs'],
      ['GET', '/metrics'],
      ['POST', '/'],
      ['GET', '//'],
      ['GET', '/assetsx'],
      ['PUT', '/assets/x.js'],
      ['GET', '/some.metric'],
      ['PUT', '/some.metric'],
      ['POST', '/some.metric'],
      ['DELETE', '/some.metric'],
      ['GET', '/api/v1/nothing'],
      ['GET', '/healthz/x'],
      ['PATCH', '/api/v1/metrics'],
    ] as const;
    for (const [method, path] of [...routes, ...others]) {
      for (const headers of [{}, bearer('wrong-token-0123456789'), bearer(`${WRITER}x`), basic(WRITER, '')]) {
        const { status } = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers });
        expect([status, method, path]).toEqual([401, method, path]);
      }
    }
    const refused = await fetch(`http://127.0.0.1:${port}/api/v1/metrics`);
    // The page asks for the token itself; of what is shown as it is the browser asks.
    const challenge = async (accept: string) =>
      (await fetch(`http://127.0.0.1:${port}/docs`, { headers: { accept } })).headers.get('www-authenticate');
    expect(refused.headers.get('www-authenticate')).toBe('Bearer realm="HTM Engine"');
    expect(await challenge('text/html,*/*')).toMatch(/^Basic .*, Bearer /);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(await refused.json()).toMatchObject({ status: 401, code: 'unauthorized' });
    expect((await fetch(`http://127.0.0.1:${port}/assets/x.js`)).status).toBe(404);
    for (const path of ['/healthz', '/readyz', '/']) {
      expect((await fetch(`http://127.0.0.1:${port}${path}`)).status).toBe(200);
    }
  });

  it('let a reader read and a writer change', async () => {
    const port = await start({ tokens: TOKENS });
    const create = (headers: Record<string, string>, name: string) =>
      fetch(`http://127.0.0.1:${port}/api/v1/metrics`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ name }),
      });
    const list = (headers: Record<string, string>) =>
      fetch(`http://127.0.0.1:${port}/api/v1/metrics`, { headers });
    expect((await list(bearer(READER))).status).toBe(200);
    expect((await list(basic('anybody', READER))).status).toBe(200);
    const refused = await create(bearer(READER), 'a');
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([403, 'forbidden']);
    expect((await create(bearer(WRITER), 'a')).status).toBe(201);
    expect((await create(basic('', WRITER), 'b')).status).toBe(201);
  });

  it('let a reader change nothing, whatever the operation', async () => {
    const port = await start({ tokens: TOKENS });
    const changing = Object.entries(openApiDocument('test').paths).flatMap(([path, methods]) =>
      Object.keys(methods)
        .filter((method) => method !== 'get')
        .map((method) => [method.toUpperCase(), path.replaceAll(/\{\w+\}/g, 'x')] as const),
    );
    expect(changing.length).toBeGreaterThan(20);
    for (const [method, path] of [...changing, ['PUT', '/x'], ['POST', '/x'], ['DELETE', '/x']] as const) {
      const url = `http://127.0.0.1:${port}${path}`;
      const { status } = await fetch(url, {
        method,
        headers: bearer(READER),
        ...(method !== 'GET' && { body: '{}' }),
      });
      expect([status, method, path]).toEqual([403, method, path]);
    }
  });

  it('are read again on SIGHUP, all or nothing', async () => {
    const file = join(directory.path, 'tokens');
    const next = 'next-token-0123456789';
    writeFileSync(file, `read old ${READER}\n`);
    const process = await EngineProcess.start(directory.path, {
      api: { tokensFile: file },
      log: { level: 'info' },
    });
    const statusWith = async (token: string) =>
      (await fetch(`http://127.0.0.1:${process.httpPort}/api/v1/status`, { headers: bearer(token) })).status;
    const hangUp = async (event: string) => {
      const times = process.output.split(`"event":"${event}"`).length;
      process.child.kill('SIGHUP');
      await until(event, () => Promise.resolve(process.output.split(`"event":"${event}"`).length > times));
    };
    try {
      expect([await statusWith(READER), await statusWith(next)]).toEqual([200, 401]);
      writeFileSync(file, `read new ${next}\n`);
      await hangUp('config.reloaded');
      expect([await statusWith(READER), await statusWith(next)]).toEqual([401, 200]);
      writeFileSync(file, `read new ${READER}\nread broken\n`);
      await hangUp('config.reload_refused');
      expect([await statusWith(READER), await statusWith(next)]).toEqual([401, 200]);
    } finally {
      await process.end('SIGTERM');
    }
  });

  it('are needed beyond loopback, unless that is said not to matter', async () => {
    const open = new Engine(settings({ host: '0.0.0.0' }));
    await expect(open.start()).rejects.toMatchObject({ code: 'config_invalid' });
    const port = await start({ host: '0.0.0.0', insecure: true });
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/metrics`, {
      headers: { host: 'any.example' },
    });
    expect(answer.status).toBe(200);
  });

  it('never stand in the log, while who changed what does', async () => {
    const file = join(directory.path, 'tokens');
    writeFileSync(file, `write deploy ${WRITER}\n`);
    const process = await EngineProcess.start(directory.path, {
      api: { tokensFile: file },
      log: { level: 'trace' },
    });
    try {
      const put = (headers: Record<string, string>) =>
        fetch(`http://127.0.0.1:${process.httpPort}/api/v1/metrics/load/model?unknown=${WRITER}`, {
          method: 'PUT',
          headers,
        });
      expect((await put(bearer(WRITER))).status).toBe(400);
      expect((await put({})).status).toBe(401);
      await until('both changes in the log', () =>
        Promise.resolve(process.output.split('"event":"api.change"').length === 3),
      );
      const [first] = process.output.split('\n').filter((line) => line.includes('api.change'));
      expect(JSON.parse(first ?? '')).toMatchObject({
        who: 'deploy',
        method: 'PUT',
        path: '/api/v1/metrics/load/model',
        status: 400,
      });
      expect(process.output).not.toContain(WRITER);
    } finally {
      await process.end('SIGTERM');
    }
  });
});

describe('names and origins', () => {
  it('of others are refused on loopback, so that no page comes in through a name of its own', async () => {
    const port = await start({ allowedHosts: 'htm.example, proxy.example' });
    const ask = (host: string) =>
      raw(port, `GET /api/v1/metrics HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    for (const host of [
      'evil.example',
      `127.0.0.1.evil.example:${port}`,
      '10.0.0.1',
      'localhost@evil.example',
      '',
    ]) {
      expect(await ask(host), host).toMatch(/^HTTP\/1\.1 421 /);
    }
    for (const host of [
      `127.0.0.1:${port}`,
      'localhost',
      'LOCALHOST:80',
      `[::1]:${port}`,
      'htm.example',
      'proxy.example:8080',
    ]) {
      expect(await ask(host), host).toMatch(/^HTTP\/1\.1 200 /);
    }
  });

  it('get nothing of CORS unless they are named', async () => {
    const port = await start({ allowedOrigins: 'https://board.example' });
    const ask = (origin: string, method = 'GET', headers: Record<string, string> = {}) =>
      fetch(`http://127.0.0.1:${port}/api/v1/metrics`, { method, headers: { origin, ...headers } });
    const foreign = await ask('https://evil.example');
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
    expect((await ask('https://evil.example', 'POST')).status).toBe(403);
    const named = await ask('https://board.example');
    expect(named.headers.get('access-control-allow-origin')).toBe('https://board.example');
    const preflight = await ask('https://board.example', 'OPTIONS', {
      'access-control-request-method': 'PUT',
    });
    expect([preflight.status, preflight.headers.get('access-control-allow-methods')]).toEqual([
      204,
      'GET, POST, PUT, DELETE',
    ]);
  });
});

describe('a hostile client', () => {
  it('that sends slowly is cut off', async () => {
    const port = await start({ requestTimeoutMs: 300 });
    const head = 'POST /api/v1/samples HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n';
    const answers = await Promise.all([
      raw(port, head),
      raw(port, `${head}Content-Length: 1000\r\n\r\na 1`),
      raw(port, `${head}Transfer-Encoding: chunked\r\n\r\n3\r\na 1\r\n`),
    ]);
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 408 .*request_timeout/s);
  });

  it('that sends too much is refused', async () => {
    const port = await start({ maxBodyBytes: 10_000 });
    const head = await raw(
      port,
      `GET /api/v1/metrics?x=${'x'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    );
    expect(head).toMatch(/^HTTP\/1\.1 431 .*headers_too_large/s);
    const body = await fetch(`http://127.0.0.1:${port}/api/v1/models/import`, {
      method: 'POST',
      body: `[${'1,'.repeat(20_000)}1]`,
    });
    expect([body.status, ((await body.json()) as { code: string }).code]).toEqual([413, 'body_too_large']);
    expect(await raw(port, 'nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 .*invalid_request/s);
  });

  it('that puts anything into names gets no more than a metric of that name', async () => {
    const port = await start();
    const url = `http://127.0.0.1:${port}`;
    const names = [
      "'; drop table metric; --",
      '../../etc/passwd',
      '..\\..\\x',
      '<script>alert(1)</script>',
      '%00',
      '%2e%2e/',
      '" or 1=1',
      '$(id)',
      '__proto__',
      'constructor',
    ];
    for (const name of names) {
      const path = `${url}/api/v1/metrics/${encodeURIComponent(name)}`;
      expect((await fetch(path)).status, name).toBe(404);
      const created = await fetch(`${url}/api/v1/metrics`, {
        method: 'POST',
        body: JSON.stringify({ name }),
      });
      expect([created.status, created.headers.get('content-type')]).toEqual([
        201,
        'application/json; charset=utf-8',
      ]);
      expect(await (await fetch(path)).json()).toMatchObject({ name, rows: 0 });
    }
    const listed = (await (await fetch(`${url}/api/v1/metrics`)).json()) as { metrics: { name: string }[] };
    expect(listed.metrics.map(({ name }) => name).sort()).toEqual([...names].sort());
    for (const path of [
      '/assets/../../package.json',
      '/assets/%2e%2e/%2e%2e/package.json',
      '/assets/..%2f..%2fpackage.json',
    ]) {
      const answer = await raw(port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      expect(answer).not.toContain('"dependencies"');
    }
    const bad = await fetch(`${url}/api/v1/metrics/%ff`);
    expect([bad.status, ((await bad.json()) as { code: string }).code]).toEqual([400, 'invalid_request']);
  });

  it('that sends JSON as no client would is refused, or stored as the plain data it is', async () => {
    const port = await start();
    const put = async (body: string) => {
      const url = `http://127.0.0.1:${port}/api/v1/metrics/x/model`;
      const answer = await fetch(url, { method: 'PUT', body });
      return [answer.status, ((await answer.json()) as { code?: string }).code];
    };
    const refused = [400, 'invalid_request_body'];
    expect(await put(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)).toEqual(refused);
    expect(await put('{"min":0,"max":1,"__proto__":{"admin":true}}')).toEqual(refused);
    expect(await put('{"min":0,"max":1,"constructor":{"prototype":1}}')).toEqual(refused);
    expect(await put('{"min":1e999,"max":2}')).toEqual(refused);
    const deep = `{"a":`.repeat(40) + '1' + '}'.repeat(40);
    expect(await put(`{"min":0,"max":1,"userInfo":${deep}}`)).toEqual([400, 'invalid_argument']);
    expect(await put('{"min":0,"max":1,"userInfo":{"__proto__":{"admin":true}}}')).toEqual([201, undefined]);
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
  });

  it('that asks too often is told when to come back, and others are not kept out', async () => {
    const port = await start({ tokens: TOKENS, maxRequestsPerMinute: 20 });
    const ask = (token: string) =>
      fetch(`http://127.0.0.1:${port}/api/v1/metrics`, { headers: bearer(token) });
    const answers = [];
    for (let i = 0; i < 25; i += 1) answers.push(await ask(READER));
    const refused = answers.find(({ status }) => status === 429);
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused?.json()).toMatchObject({ code: 'too_many_requests' });
    expect((await ask(WRITER)).status).toBe(200);
  });

  it('opens no more streams than there may be, and a closed one makes room', async () => {
    const port = await start({ streams: { max: 2 } });
    const stop = new AbortController();
    const open = () => fetch(`http://127.0.0.1:${port}/api/v1/results`, { signal: stop.signal });
    expect([(await open()).status, (await open()).status]).toEqual([200, 200]);
    const third = await open();
    expect([third.status, third.headers.get('retry-after')]).toEqual([503, '1']);
    await third.text();
    stop.abort();
    await until('room for a stream', async () => {
      const again = await fetch(`http://127.0.0.1:${port}/api/v1/results`);
      await again.body?.cancel();
      return again.status === 200;
    });
  });
});

it('answers carry headers that keep browsers from guessing and framing', async () => {
  const port = await start();
  for (const path of ['/', '/docs', '/api/v1/metrics', '/api/v1/nothing', '/none']) {
    const { headers } = await fetch(`http://127.0.0.1:${port}${path}`);
    expect(headers.get('x-content-type-options'), path).toBe('nosniff');
    expect(headers.get('x-frame-options'), path).toBe('DENY');
  }
  const docs = await fetch(`http://127.0.0.1:${port}/docs`);
  expect(docs.headers.get('content-security-policy')).toContain("default-src 'none'");
  const page = await docs.text();
  expect(page).not.toMatch(/<script|src=|https?:\/\//);
  expect(page).toContain('/api/v1/metrics/{name}/data');
});

it('is shown by a proxy under a path', async () => {
  const wrong = new Engine(settings({ basePath: 'htm/' }));
  await expect(wrong.start()).rejects.toMatchObject({ code: 'config_invalid' });
  const port = await start({ basePath: '/htm' });
  expect((await fetch(`http://127.0.0.1:${port}/htm/api/v1/status`)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${port}/htm/docs`)).status).toBe(200);
});

it('speaks TLS with the certificate it is given', async () => {
  const cert = join(directory.path, 'cert.pem');
  const key = join(directory.path, 'key.pem');
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '1',
      '-subj',
      '/CN=localhost',
      '-keyout',
      key,
      '-out',
      cert,
    ],
    { stdio: 'ignore' },
  );
  const port = await start({ tlsCertFile: cert, tlsKeyFile: key });
  const request = get({ port, host: '127.0.0.1', path: '/api/v1/status', rejectUnauthorized: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  expect(response.statusCode).toBe(200);
  expect(JSON.parse(await text(response))).toMatchObject({ ready: true });
  expect(await raw(port, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')).not.toContain('200 OK');
});
