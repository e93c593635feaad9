import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { seededRandom } from './series.ts';

const PAGE = join(import.meta.dirname, '../../dist/dashboard');
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
/** Strict, to show that the page needs no more. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'";

const STATUS = {
  version: '0.0.0',
  startedAt: '2026-09-21T00:00:00.000Z',
  metrics: {},
  rows: 0,
  unprocessedRows: 0,
  ready: true,
  leases: [],
};

const MODEL = {
  failure: null,
  restarts: ['relearn'],
  generation: 1,
  range: { min: 0, max: 100 },
  resolution: 0.77,
  startRowid: 1,
  processedRowid: 400,
  learns: true,
  leftOut: [],
  cost: { warm: true, bytes: 4_000_000, loadMs: 3.21, rowMs: 0.812, saveMs: null },
  diskBytes: { rows: 40_000, checkpoints: 80_000 },
  checkpoints: [{ rowid: 350 }, { rowid: 300 }],
};
const LIKELIHOOD = {
  constants: { averagingWindow: 10 },
  distribution: { mean: 0.05, standardDeviation: 0.02, averageScore: 0.11 },
  histogram: { binWidth: 0.1, counts: [350, 40, 8, 2, 0, 0, 0, 0, 0, 0] },
};

export interface FakeRow {
  readonly rowid: number;
  readonly timestamp: number;
  readonly value: number;
  readonly logLikelihood: number | null;
  readonly multiStepBestPredictions?: Readonly<Record<string, number>>;
}

export interface FakeMetric {
  readonly name: string;
  state: string;
  message: string | null;
  learning: { rows: number; of: number } | null;
  demo: boolean;
  rows: FakeRow[];
}

/** The engine's HTTP API as far as the page uses it, over metrics in memory, with the page itself: for states that a real engine shows seldom or with much data. */
export class FakeApi {
  readonly metrics = new Map<string, FakeMetric>();
  /** Answers of the lists of incidents, mutes and usual patterns. */
  incidents: object = { incidents: [], more: false };
  mutes: object = { mutes: [] };
  usual: object = { patterns: [] };
  /** Answers every ranking, whatever the period. */
  ranking: object = { metrics: [] };
  /** What `/api/v1/status` and `/metrics` answer. */
  status: object = STATUS;
  measurements = '';
  /** Answers what is asked of every model, and what is done to it. */
  model: object = MODEL;
  likelihood: object = LIKELIHOOD;
  /** The one that is let in; null for everybody. */
  token: string | null = null;
  /** What the page asked to change, as `METHOD path body`. */
  readonly changes: string[] = [];
  /** Answers every request of the API like this while it is set. */
  failure: { status: number; code: string; detail: string } | null = null;
  /** The list of all metrics is answered after this. */
  listAfter: Promise<void> = Promise.resolve();
  readonly #streams = new Set<ServerResponse>();
  #server: Server | null = null;

  add(name: string, given: Partial<FakeMetric> = {}): FakeMetric {
    const metric = { name, state: 'ACTIVE', message: null, learning: null, demo: false, rows: [], ...given };
    this.metrics.set(name, metric);
    return metric;
  }

  /** Stores a row and tells it to whoever follows. */
  append(name: string, timestamp: number, value: number, logLikelihood: number | null): void {
    const metric = this.metrics.get(name) ?? this.add(name);
    metric.rows.push({ rowid: metric.rows.length + 1, timestamp, value, logLikelihood });
    if (logLikelihood === null) return;
    const data = JSON.stringify({ name, timestamp, value, logLikelihood });
    for (const stream of this.#streams) stream.write(`event: result\ndata: ${data}\n\n`);
  }

  /** @param port 0 for a free one. @returns the page's address */
  async start(port = 0): Promise<string> {
    const server = createServer((request, response) => void this.#answer(request, response));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  /** Stops at once, as a killed engine would. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const [, , , collection, name, what, part] = url.pathname.split('/').map(decodeURIComponent);
    if (url.pathname === '/metrics') response.end(this.measurements);
    else if (!url.pathname.startsWith('/api/v1/')) await this.#file(url.pathname, response);
    else if (this.token !== null && request.headers.authorization !== `Bearer ${this.token}`)
      refuse(response, request);
    else if (this.failure !== null) send(response, this.failure.status, this.failure);
    else if (collection === 'results') this.#stream(response);
    else if (request.method === 'GET' && collection === 'incidents') send(response, 200, this.incidents);
    else if (request.method === 'GET' && collection === 'mutes') send(response, 200, this.mutes);
    else if (request.method === 'GET' && collection === 'usual') send(response, 200, this.usual);
    else if (collection === 'status') send(response, 200, this.status);
    else if (collection === 'ranking') send(response, 200, this.ranking);
    else if (name === undefined) {
      await this.listAfter;
      send(response, 200, this.#page(url.searchParams));
    } else if (part === 'likelihood') send(response, 200, this.likelihood);
    else if (part !== undefined) await this.#changeModel(request, response, `${name} ${part}`);
    else if (what === 'model' && request.method !== 'GET') await this.#change(request, response, name);
    else this.#read(response, name, what, url.searchParams);
  }

  #read(response: ServerResponse, name: string, what: string | undefined, query: URLSearchParams): void {
    const metric = this.metrics.get(name);
    if (metric === undefined)
      send(response, 404, { code: 'metric_not_found', detail: `there is no ${name}` });
    else if (what === 'buckets')
      send(response, 200, { name, uid: name, buckets: bucketsOf(metric.rows, query) });
    else if (what === 'model') send(response, 200, this.model);
    else if (what === 'data') send(response, 200, { name, uid: name, rows: select(metric.rows, query) });
    else send(response, 200, describe(metric, query));
  }

  #page(query: URLSearchParams) {
    const limit = Number(query.get('limit') ?? 10_000);
    const after = query.get('after') ?? '';
    const names = [...this.metrics.keys()]
      .filter((name) => name > after)
      .sort()
      .slice(0, limit);
    const metrics = names.map((name) => this.metrics.get(name)).filter((metric) => metric !== undefined);
    return {
      metrics: metrics.map((metric) => describe(metric, query)),
      next: metrics.length === limit ? names.at(-1) : null,
    };
  }

  async #change(request: IncomingMessage, response: ServerResponse, name: string): Promise<void> {
    const body = Buffer.concat((await request.toArray()) as Buffer[]).toString();
    this.changes.push(`${request.method ?? ''} ${name} ${body}`.trim());
    const metric = this.metrics.get(name) ?? this.add(name);
    if (request.method === 'DELETE') {
      metric.state = 'UNMONITORED';
      metric.learning = null;
      metric.rows = metric.rows.map((row) => ({ ...row, logLikelihood: null }));
      response.writeHead(204).end();
    } else if (metric.state === 'UNMONITORED') {
      metric.state = 'PENDING_DATA';
      metric.learning = { rows: metric.rows.length, of: 288 };
      send(response, 201, describe(metric, new URLSearchParams()));
    } else {
      send(response, 409, { code: 'metric_already_monitored', detail: `${name} is monitored already` });
    }
  }

  async #changeModel(request: IncomingMessage, response: ServerResponse, what: string): Promise<void> {
    const body = Buffer.concat((await request.toArray()) as Buffer[]).toString();
    this.changes.push(`${request.method ?? ''} ${what} ${body}`.trim());
    send(response, 200, this.model);
  }

  #stream(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(': hello\n\n');
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
  }

  async #file(path: string, response: ServerResponse): Promise<void> {
    const name = path === '/' ? 'index.html' : path.replaceAll('..', '');
    try {
      const bytes = await readFile(join(PAGE, name));
      response.writeHead(200, {
        'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
        'content-security-policy': CONTENT_SECURITY_POLICY,
      });
      response.end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  }
}

function describe(metric: FakeMetric, query: URLSearchParams) {
  const { rows, ...about } = metric;
  const scored = rows.filter(({ logLikelihood }) => logLikelihood !== null);
  const recent = Number(query.get('recent') ?? 0);
  return {
    ...about,
    uid: metric.name,
    rows: rows.length,
    scoredRows: scored.length,
    lastTimestamp: rows.at(-1)?.timestamp ?? null,
    lastValue: rows.at(-1)?.value ?? null,
    lastLogLikelihood: scored.at(-1)?.logLikelihood ?? null,
    lastScoredTimestamp: scored.at(-1)?.timestamp ?? null,
    ...(recent > 0 && { recent: scored.slice(-recent).map(({ logLikelihood }) => logLikelihood) }),
  };
}

function select(rows: readonly FakeRow[], query: URLSearchParams): FakeRow[] {
  const from = Number(query.get('from') ?? -Infinity);
  const to = Number(query.get('to') ?? Infinity);
  const afterRowid = Number(query.get('afterRowid') ?? 0);
  const limit = Number(query.get('limit') ?? 1000);
  const found = rows.filter(
    ({ rowid, timestamp }) => rowid > afterRowid && timestamp >= from && timestamp <= to,
  );
  return query.get('order') === 'desc' ? found.reverse().slice(0, limit) : found.slice(0, limit);
}

/** As the engine does it: runs of equally many rows, told by their extremes. */
function bucketsOf(rows: readonly FakeRow[], query: URLSearchParams) {
  const found = select(rows, new URLSearchParams({ ...Object.fromEntries(query), limit: '1e9' }));
  const width = Math.ceil(found.length / Number(query.get('buckets') ?? 500));
  const runs = Array.from({ length: Math.ceil(found.length / width) || 0 }, (_, i) =>
    found.slice(i * width, (i + 1) * width),
  );
  return runs.map((run) => {
    const scores = run.map(({ logLikelihood }) => logLikelihood).filter((score) => score !== null);
    return {
      firstRowid: run[0]?.rowid,
      lastRowid: run.at(-1)?.rowid,
      firstTimestamp: run[0]?.timestamp,
      lastTimestamp: run.at(-1)?.timestamp,
      lowest: Math.min(...run.map(({ value }) => value)),
      highest: Math.max(...run.map(({ value }) => value)),
      logLikelihood: scores.length === 0 ? null : Math.max(...scores),
    };
  });
}

/** As the engine refuses who has no token that it knows. */
function refuse(response: ServerResponse, { headers }: IncomingMessage): void {
  const isShown = headers.accept?.includes('text/html') === true;
  response.setHeader('www-authenticate', isShown ? 'Basic realm="x", Bearer realm="x"' : 'Bearer realm="x"');
  send(response, 401, { code: 'unauthorized', detail: 'this engine wants a token' });
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Rows with a daily cycle, one every 5 minutes, the last at `lastTimestamp`; anomalous where `anomalousFrom` (rows from the end) says. */
export function seededRows(
  count: number,
  seed: number,
  lastTimestamp: number,
  anomalousFrom: number[] = [],
): FakeRow[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, i) => {
    const fromEnd = count - 1 - i;
    const since = anomalousFrom.map((start) => start - fromEnd).find((rows) => rows >= 0 && rows < 6);
    const usual = 50 + 25 * Math.sin((2 * Math.PI * (i + 40 * seed)) / 288) + 6 * random();
    const score = since === undefined ? 0.03 + 0.15 * random() ** 6 : since === 0 ? 0.72 : 0.29999999;
    return {
      rowid: i + 1,
      timestamp: lastTimestamp - 300 * fromEnd,
      value: Math.round(100 * (since === undefined ? usual : usual + 55)) / 100,
      logLikelihood: i < 388 ? 0.0301 : score,
    };
  });
}
