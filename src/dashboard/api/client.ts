import { ApiError } from './api-error.ts';
import type {
  IncidentPage,
  Metric,
  MetricPage,
  ModelRange,
  Mute,
  RankedMetric,
  RankedPeriod,
  Row,
  RowSelection,
  SpanKey,
  UsualPattern,
} from './contract.ts';

const TIMEOUT_MS = 20_000;
const PAGE_METRICS = 1000;
/** Metrics that are ranked at the most. */
const MAX_RANKED = 10_000;
/** Spans that one request acknowledges at the most. */
const MAX_ACKNOWLEDGED = 1000;

/** Every request that the page makes of the engine. */
export class ApiClient {
  readonly #base: string;

  /** @param base address of the API's first version, with a slash at its end */
  constructor(base: string) {
    this.#base = base;
  }

  /** All metrics, page by page, each with its newest `recent` (1..120) scores. @throws ApiError */
  async *metricPages(recent: number): AsyncGenerator<readonly Metric[]> {
    let after: string | null = '';
    while (after !== null) {
      const query = search({ after, limit: PAGE_METRICS, recent });
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

  /** Starts monitoring. @throws ApiError */
  async monitor(name: string, range: ModelRange | null): Promise<void> {
    await this.#json('PUT', `${metricPath(name)}/model`, range ?? {});
  }

  /** Stops monitoring: the model and its scores go, the rows stay. @throws ApiError */
  async stop(name: string): Promise<void> {
    await this.#json('DELETE', `${metricPath(name)}/model`);
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

  /** The stream of all results. */
  openResults(): EventSource {
    return new EventSource(`${this.#base}results`);
  }

  async #json<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await this.#send(method, path, body);
    const text = await response.text();
    const answer = parse(text);
    if (response.ok) return answer as T;
    const { code, detail } = (answer ?? {}) as { code?: string; detail?: string };
    throw new ApiError(
      response.status,
      code ?? 'unknown',
      detail ?? `The engine answered ${response.status} ${response.statusText}.`,
    );
  }

  async #send(method: string, path: string, body?: object): Promise<Response> {
    try {
      return await fetch(this.#base + path, {
        method,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(body !== undefined && {
          body: JSON.stringify(body),
          headers: { 'content-type': 'application/json' },
        }),
      });
    } catch (error) {
      const slow = error instanceof DOMException && error.name === 'TimeoutError';
      throw new ApiError(
        0,
        'unreachable',
        slow ? `The engine did not answer within ${TIMEOUT_MS / 1000} s.` : 'The engine does not answer.',
      );
    }
  }
}

const keyOf = ({ uid, generation, openedRowid }: SpanKey): SpanKey => ({ uid, generation, openedRowid });
const metricPath = (name: string) => `metrics/${encodeURIComponent(name)}`;

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
