import { ApiError } from './api-error.ts';
import type { Metric, MetricPage, ModelRange, Row, RowSelection } from './contract.ts';

const TIMEOUT_MS = 20_000;
const PAGE_METRICS = 1000;

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
