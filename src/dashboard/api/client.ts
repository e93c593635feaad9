import type { Window } from '../model/route.ts';
import { ApiError } from './api-error.ts';
import type {
  Bucket,
  EngineStatus,
  IncidentPage,
  Interval,
  LikelihoodDetails,
  Metric,
  MetricPage,
  ModelDetails,
  ModelRange,
  Mute,
  RankedMetric,
  RankedPeriod,
  Restart,
  Result,
  Row,
  RowSelection,
  SpanKey,
  StreamEvent,
  UsualPattern,
} from './contract.ts';
import { serverSentEvents } from './event-stream.ts';
import type { Session } from './session.ts';

const TIMEOUT_MS = 20_000;
const UNAUTHORIZED = 401;
/** No text/html: for that the engine makes the browser ask for a password, which the page does itself. */
const ACCEPTED = 'application/json, text/plain, text/event-stream';
/** The first are fewer, so that they are seen sooner: an engine that has just started reads their scores from its store. */
const FIRST_PAGE_METRICS = 100;
const PAGE_METRICS = 1000;
/** Metrics that are ranked at the most. */
const MAX_RANKED = 10_000;
/** Spans that one request acknowledges at the most. */
const MAX_ACKNOWLEDGED = 1000;

/** Every request that the page makes of the engine. */
export class ApiClient {
  readonly #base: string;
  readonly #session: Session;

  /** @param base address of the API's first version, with a slash at its end */
  constructor(base: string, session: Session) {
    this.#base = base;
    this.#session = session;
  }

  /** All metrics, page by page, each with its newest `recent` (1..120) scores. @throws ApiError */
  async *metricPages(recent: number): AsyncGenerator<readonly Metric[]> {
    let after: string | null = '';
    while (after !== null) {
      const limit = after === '' ? FIRST_PAGE_METRICS : PAGE_METRICS;
      const query = search({ after, limit, recent });
      const page: MetricPage = await this.#json<MetricPage>('GET', `metrics?${query}`);
      yield page.metrics;
      after = page.next;
    }
  }

  /** Monitored metrics, the most anomalous of the period first. @throws ApiError */
  async ranking(period: RankedPeriod): Promise<readonly RankedMetric[]> {
    const query = search({ period, limit: MAX_RANKED });
    return (await this.#json<{ metrics: readonly RankedMetric[] }>('GET', `ranking?${query}`)).metrics;
  }

  /** One metric. @throws ApiError, with status 404 if there is none of this name */
  metric(name: string, recent: number): Promise<Metric> {
    return this.#json('GET', `${metricPath(name)}?${search({ recent })}`);
  }

  /** Rows in the order asked for. @throws ApiError */
  async rows(name: string, selection: RowSelection): Promise<readonly Row[]> {
    const { rows } = await this.#json<{ rows: readonly Row[] }>(
      'GET',
      `${metricPath(name)}/data?${search({ ...selection })}`,
    );
    return rows;
  }

  /** The rows of a stretch of time in at most so many runs of equally many. @throws ApiError */
  async buckets(name: string, { from, to }: Window, buckets: number): Promise<readonly Bucket[]> {
    const query = search({ from, to, buckets });
    return (await this.#json<{ buckets: readonly Bucket[] }>('GET', `${metricPath(name)}/buckets?${query}`))
      .buckets;
  }

  /** Starts monitoring. @throws ApiError */
  async monitor(name: string, range: ModelRange | null): Promise<void> {
    await this.#json('PUT', modelPath(name), range ?? {});
  }

  /** @throws ApiError */
  model(name: string): Promise<ModelDetails> {
    return this.#json('GET', modelPath(name));
  }

  /** @throws ApiError */
  likelihood(name: string): Promise<LikelihoodDetails> {
    return this.#json('GET', `${modelPath(name)}/likelihood`);
  }

  /** Lets the model begin again. @throws ApiError */
  async restart(name: string, how: Restart): Promise<void> {
    await this.#json('POST', `${modelPath(name)}/restart`, { how });
  }

  /** Switches learning on or off from the next row on. @throws ApiError */
  async setLearning(name: string, on: boolean): Promise<void> {
    await this.#json('PUT', `${modelPath(name)}/learning`, { on });
  }

  /** Leaves an interval unlearned; with `relearn` also one that is learned already. @throws ApiError */
  async doNotLearn(name: string, { from, to }: Interval, relearn: boolean): Promise<void> {
    await this.#json('POST', `${modelPath(name)}/do-not-learn`, { from, to, relearn });
  }

  /** Lets the next row begin a new sequence. @throws ApiError */
  async resetSequence(name: string): Promise<void> {
    await this.#json('POST', `${modelPath(name)}/reset`);
  }

  /** Stops monitoring: the model and its scores go, the rows stay. @throws ApiError */
  async stop(name: string): Promise<void> {
    await this.#json('DELETE', modelPath(name));
  }

  /** Incidents since `from` (epoch seconds; null for all), of one metric or of all. @throws ApiError */
  incidents(from: number | null, metric: string | null): Promise<IncidentPage> {
    return this.#json('GET', `incidents?${search({ from: from ?? undefined, metric: metric ?? undefined })}`);
  }

  /** Notes that somebody has seen the spans. @throws ApiError */
  async acknowledge(spans: readonly SpanKey[], note: string): Promise<void> {
    for (let first = 0; first < spans.length; first += MAX_ACKNOWLEDGED) {
      const some = spans.slice(first, first + MAX_ACKNOWLEDGED).map(keyOf);
      await this.#json('POST', 'incidents/acknowledge', { spans: some, note });
    }
  }

  /** @throws ApiError */
  async mutes(): Promise<readonly Mute[]> {
    return (await this.#json<{ mutes: readonly Mute[] }>('GET', 'mutes')).mutes;
  }

  /** Mutes what the pattern names until a time (epoch seconds), or for ever. @throws ApiError */
  async mute(pattern: string, until: number | null, note: string): Promise<void> {
    await this.#json('POST', 'mutes', { pattern, until, note });
  }

  /** @throws ApiError */
  async unmute(id: string): Promise<void> {
    await this.#json('DELETE', `mutes/${encodeURIComponent(id)}`);
  }

  /** What is called usual, of any metric. @throws ApiError */
  async usualPatterns(): Promise<readonly UsualPattern[]> {
    return (await this.#json<{ patterns: readonly UsualPattern[] }>('GET', 'usual')).patterns;
  }

  /** Records that spans like this one are usual. @throws ApiError */
  async callUsual(span: SpanKey, anyTime: boolean, note: string): Promise<void> {
    await this.#json('POST', 'usual', { span: keyOf(span), anyTime, note });
  }

  /** @throws ApiError */
  async forgetUsual(id: string): Promise<void> {
    await this.#json('DELETE', `usual/${encodeURIComponent(id)}`);
  }

  /** The stream of all results, until it breaks or `signal` ends it. @throws ApiError */
  async *results(signal: AbortSignal): AsyncGenerator<StreamEvent> {
    const response = await this.#send('GET', 'results', { signal });
    if (!response.ok) throw await this.#refusal(response);
    yield { type: 'opened' };
    for await (const { event, data } of serverSentEvents(response)) {
      if (event === 'result') yield { type: 'result', result: JSON.parse(data) as Result };
      else if (event === 'reset') yield { type: 'reset' };
    }
  }

  /** @throws ApiError */
  status(): Promise<EngineStatus> {
    return this.#json('GET', 'status');
  }

  /** What the engine measures, in Prometheus' text format. @throws ApiError */
  async measurements(): Promise<string> {
    const response = await this.#send('GET', '../../metrics');
    if (!response.ok) throw await this.#refusal(response);
    return textOf(response);
  }

  /** Whether the engine knows the token. @throws ApiError if it cannot say */
  async knows(token: string): Promise<boolean> {
    const response = await this.#send('GET', 'status', { token });
    if (response.ok) return true;
    if (response.status === UNAUTHORIZED) return false;
    throw await this.#refusal(response);
  }

  async #json<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await this.#send(method, path, { body });
    if (!response.ok) throw await this.#refusal(response);
    return parse(await textOf(response)) as T;
  }

  async #refusal(response: Response): Promise<ApiError> {
    const { code, detail } = (parse(await textOf(response)) ?? {}) as { code?: string; detail?: string };
    return new ApiError(
      response.status,
      code ?? 'unknown',
      detail ?? `The engine answered ${response.status} ${response.statusText}.`,
    );
  }

  async #send(method: string, path: string, request: RequestParts = {}): Promise<Response> {
    const { body, signal = AbortSignal.timeout(TIMEOUT_MS), token = this.#session.token.peek() } = request;
    let response: Response;
    try {
      response = await fetch(new URL(path, this.#base), {
        method,
        signal,
        headers: {
          accept: ACCEPTED,
          ...(token !== null && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    } catch (error) {
      throw unreachable(error);
    }
    if (response.status === UNAUTHORIZED && request.token === undefined) {
      this.#session.refused(token, 'This engine lets in only who has a token.');
    }
    return response;
  }
}

interface RequestParts {
  /** Sent as JSON. */
  readonly body?: object | undefined;
  /** Ends it; without one it has `TIMEOUT_MS`. */
  readonly signal?: AbortSignal;
  /** Sent in place of the session's: refusing it says nothing of that. */
  readonly token?: string;
}

async function textOf(response: Response): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    throw unreachable(error);
  }
}

function unreachable(error: unknown): ApiError {
  const slow = error instanceof DOMException && error.name === 'TimeoutError';
  return new ApiError(
    0,
    'unreachable',
    slow ? `The engine did not answer within ${TIMEOUT_MS / 1000} s.` : 'The engine does not answer.',
  );
}

const keyOf = ({ uid, generation, openedRowid }: SpanKey): SpanKey => ({ uid, generation, openedRowid });
const metricPath = (name: string) => `metrics/${encodeURIComponent(name)}`;
const modelPath = (name: string) => `${metricPath(name)}/model`;

function search(parameters: Record<string, string | number | undefined>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
