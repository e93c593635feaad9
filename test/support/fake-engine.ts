import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { MetricJson, ModelSpecJson, SampleJson } from '../../src/client/types.ts';

interface FakeRow {
  timestamp: number;
  value: number;
}

interface FakeMetric {
  rows: FakeRow[];
  state: MetricJson['state'];
  demo: boolean;
}

type Answer = { status: number; body?: unknown };

/** Speaks the HTTP interface (docs/http.md) over metrics in memory, and fails as a test says: for what an engine does not do on demand. */
export class FakeEngine {
  readonly metrics = new Map<string, FakeMetric>();
  /** Method and path of every request, in order. */
  readonly requests: string[] = [];
  /** The body of the last request. */
  lastBody = '';
  /** Answers of the next posts of samples, before any is looked at. */
  readonly failures: Answer[] = [];
  /** Whether a post that fails has its samples stored all the same, as when the answer is lost. */
  storesWhenFailing = false;
  readonly imported: unknown[] = [];
  /** What is answered of retention, the last one again and again. */
  retention: object[] = [];
  readonly ages: [string, unknown][] = [];
  specs: ModelSpecJson[] = [];
  /** Called for each stream that is opened. */
  onStream: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => response.end();
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  #port = 0;

  async start(): Promise<this> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (address !== null && typeof address === 'object') this.#port = address.port;
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    if (this.#server.listening) await once(this.#server, 'close');
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  add(name: string, metric: Partial<FakeMetric> = {}): void {
    this.metrics.set(name, { rows: [], state: 'UNMONITORED', demo: false, ...metric });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    this.requests.push(`${request.method ?? ''} ${url.pathname}`);
    if (url.pathname === '/api/v1/results') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      this.onStream(request, response);
      return;
    }
    const body = await text(request);
    this.lastBody = body;
    const { status, body: answer } = this.#answer(request.method ?? '', url, body);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(answer === undefined ? '' : JSON.stringify(answer));
  }

  #answer(method: string, { pathname, searchParams }: URL, body: string): Answer {
    const [, , , kind, encodedName, part, action] = pathname.split('/');
    if (kind === 'samples') return this.#samples(body);
    if (kind === 'retention') return this.#retention(method);
    if (kind === 'models') return this.#models(method, searchParams, body);
    if (kind !== 'metrics') return refusal(404, 'reserved_name', 'there is no such path');
    if (encodedName === undefined) return this.#collection(method, searchParams, body);
    const name = decodeURIComponent(encodedName);
    if (part === 'model' && action === undefined && method === 'PUT') return this.#monitor(name);
    const metric = this.metrics.get(name);
    if (metric === undefined) return refusal(404, 'metric_not_found', `there is no metric "${name}"`);
    if (part === 'retention') {
      this.ages.push([name, (JSON.parse(body) as { maxAgeSeconds: unknown }).maxAgeSeconds]);
      return { status: 200, body: { name } };
    }
    if (part === 'data' && method === 'DELETE') return { status: 200, body: { deletedRows: 3 } };
    if (part === 'data') return this.#data(metric, searchParams);
    if (part === 'model') return this.#model(method, name, metric, action, body);
    if (method === 'DELETE') this.metrics.delete(name);
    return method === 'DELETE' ? { status: 204 } : { status: 200, body: this.#json(name, metric) };
  }

  #collection(method: string, query: URLSearchParams, body: string): Answer {
    if (method === 'POST') {
      const { name } = JSON.parse(body) as { name: string };
      if (this.metrics.has(name))
        return refusal(409, 'metric_already_exists', `there is a metric "${name}" already`);
      this.add(name);
      return { status: 201, body: this.#json(name, this.metrics.get(name)) };
    }
    const limit = Math.min(3, Number(query.get('limit') ?? 3)); // so that every listing has pages
    const names = Array.from(this.metrics.keys())
      .sort()
      .filter((name) => name > (query.get('after') ?? ''));
    const metrics = names.slice(0, limit).map((name) => this.#json(name, this.metrics.get(name)));
    return { status: 200, body: { metrics, next: names.length > limit ? names[limit - 1] : null } };
  }

  #data({ rows }: FakeMetric, query: URLSearchParams): Answer {
    const after = Number(query.get('afterRowid') ?? 0);
    const all = rows.map((row, i) => ({
      rowid: i + 1,
      ...row,
      rawAnomalyScore: 0.25,
      anomalyScore: 0.5,
      logLikelihood: 0.75,
    }));
    const wanted = all.filter(({ rowid }) => rowid > after);
    if (query.get('order') === 'desc') wanted.reverse();
    return { status: 200, body: { rows: wanted.slice(0, Number(query.get('limit'))) } };
  }

  #monitor(name: string): Answer {
    const metric = this.metrics.get(name);
    if (metric !== undefined && metric.state !== 'UNMONITORED')
      return refusal(409, 'metric_already_monitored', `"${name}" is monitored already`);
    this.add(name, { ...metric, state: 'PENDING_DATA' });
    return { status: 201, body: this.#json(name, this.metrics.get(name)) };
  }

  #model(method: string, name: string, metric: FakeMetric, action: string | undefined, body: string): Answer {
    if (method === 'DELETE') {
      metric.state = 'UNMONITORED';
      return { status: 204 };
    }
    if (action === 'clone') {
      const { to } = JSON.parse(body) as { to: string };
      this.add(to, { ...metric });
      return { status: 201, body: this.#json(to, this.metrics.get(to)) };
    }
    if (metric.state === 'UNMONITORED')
      return refusal(409, 'metric_not_monitored', `"${name}" is not monitored`);
    if (action === 'restart' || action === 'activate') {
      metric.state = 'ACTIVE';
      return { status: 200, body: this.#json(name, metric) };
    }
    const told = body === '' ? {} : (JSON.parse(body) as { on?: boolean; from?: number; to?: number });
    return {
      status: 200,
      body: {
        generation: 1,
        variant: 'cpp',
        range: { min: 0, max: 100 },
        resolution: 0.5,
        failure: null,
        learns: told.on ?? true,
        leftOut: told.from === undefined ? [] : [{ from: told.from, to: told.to }],
        distribution: null,
        cost: null,
        checkpoints: [],
        diskBytes: { rows: 2 ** 21, checkpoints: 2 ** 19 },
      },
    };
  }

  #retention(method: string): Answer {
    const answer = this.retention.length > 1 ? this.retention.shift() : this.retention[0];
    return { status: method === 'POST' ? 202 : 200, body: answer };
  }

  #models(method: string, query: URLSearchParams, body: string): Answer {
    if (method === 'GET') {
      const names = query.getAll('name');
      const isWanted = (spec: ModelSpecJson) => names.length === 0 || names.includes(String(spec.name));
      return { status: 200, body: { models: this.specs.filter(isWanted) } };
    }
    const specs = JSON.parse(body) as ModelSpecJson[];
    this.imported.push(...specs);
    const results = specs.map(({ name }) =>
      name === 'bad'
        ? { name, outcome: 'refused', code: 'invalid_range', message: 'min must be less than max' }
        : { name, outcome: 'monitored' },
    );
    return { status: 200, body: { results } };
  }

  #samples(body: string): Answer {
    const failure = this.failures.shift();
    if (failure !== undefined && !this.storesWhenFailing) return failure;
    const samples = body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as SampleJson);
    const problems = samples.flatMap((sample, i) => {
      const reason = this.#store(sample);
      return reason === null ? [] : [{ line: i + 1, reason, message: `refused: ${reason}` }];
    });
    return (
      failure ?? {
        status: 200,
        body: { accepted: samples.length - problems.length, refused: problems.length, problems },
      }
    );
  }

  #store({ name, value, timestamp = 1_700_000_000 }: SampleJson): string | null {
    if (!this.metrics.has(name)) this.add(name);
    const rows = this.metrics.get(name)?.rows ?? [];
    const last = rows.at(-1)?.timestamp ?? -Infinity;
    if (timestamp > 4_000_000_000) return 'time_too_far_ahead';
    if (timestamp <= last) return timestamp === last ? 'duplicate' : 'older';
    rows.push({ timestamp, value });
    return null;
  }

  #json(name: string, metric: FakeMetric | undefined): MetricJson {
    const { rows, state, demo } = metric ?? { rows: [], state: 'UNMONITORED', demo: false };
    const last = rows.at(-1);
    const monitored = state !== 'UNMONITORED';
    return {
      name,
      uid: 'ab'.repeat(16),
      state,
      message: state === 'ERROR' ? 'row 5 cannot be learned' : null,
      rows: rows.length,
      scoredRows: monitored ? rows.length : 0,
      learning:
        state === 'PENDING_DATA'
          ? { rows: rows.length, of: 288 }
          : state === 'ACTIVE'
            ? { rows: 120, of: 388 }
            : null,
      lastTimestamp: last?.timestamp ?? null,
      lastValue: last?.value ?? null,
      lastScore: monitored ? 0.5 : null,
      lastLogLikelihood: monitored ? 0.75 : null,
      lastScoredTimestamp: monitored ? (last?.timestamp ?? null) : null,
      resource: null,
      unit: null,
      demo,
    };
  }
}

function refusal(status: number, code: string, detail: string): Answer {
  return { status, body: { code, detail } };
}

/** The answer of an engine that cannot store anything for now. */
export const NO_ROOM: Answer = refusal(503, 'store_unavailable', 'the disk is full');
