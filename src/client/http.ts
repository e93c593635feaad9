import { HtmEngineError } from '../errors.ts';

export interface HttpRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Sent as JSON unless `contentType` says otherwise. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface ClientOptions {
  /** Where the engine asks for one. */
  readonly token?: string;
}

/** Codes of the fetch API's causes that mean: nobody is there. The others are told as they are. */
const NOBODY: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name of the host cannot be resolved at present',
  UND_ERR_CONNECT_TIMEOUT: 'nothing answered in time',
  UND_ERR_SOCKET: 'the connection was cut',
  ECONNRESET: 'the connection was cut',
};
const SHOWN_CHARACTERS = 200;

/** One engine, as far as HTTP goes: asks, and turns whatever goes wrong into an error that tells what to do. */
export class Http {
  readonly url: string;
  readonly #token: string | undefined;

  /** @param url of the engine, for instance `http://127.0.0.1:8080`. @throws HtmEngineError `invalid_argument` */
  constructor(url: string, { token }: ClientOptions = {}) {
    this.url = baseUrl(url);
    this.#token = token === '' ? undefined : token;
  }

  /** @throws HtmEngineError `engine_unreachable`, `engine_refused` (`details`: `status`, `code` as the engine gave it) */
  async send(path: string, request: HttpRequest = {}): Promise<Response> {
    const { method = 'GET', body, contentType = 'application/json', headers = {}, signal } = request;
    let response: Response;
    try {
      response = await fetch(this.url + path, {
        method,
        headers: {
          ...(body !== undefined && { 'content-type': contentType }),
          ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        ...(signal !== undefined && { signal }),
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw this.unreachable(error);
    }
    if (!response.ok) throw await this.#refusal(method, path, response);
    return response;
  }

  /** The JSON that answers a request. @throws as `send` */
  async json<T>(path: string, request?: HttpRequest): Promise<T> {
    const response = await this.send(path, request);
    let text: string;
    try {
      text = await response.text();
    } catch (error) {
      request?.signal?.throwIfAborted();
      throw this.unreachable(error);
    }
    try {
      return JSON.parse(text) as T;
    } catch {
      throw this.#stranger(response.status, text);
    }
  }

  /** The error for a connection that could not be made or did not last. */
  unreachable(error: unknown): HtmEngineError {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const reason = NOBODY[code] ?? (cause instanceof Error ? cause.message || code : String(cause));
    return new HtmEngineError(
      'engine_unreachable',
      `no engine answers at ${this.url}: ${reason}; start one with "htmengine up", or say where it is with --url or HTMENGINE_URL`,
    );
  }

  async #refusal(method: string, path: string, response: Response): Promise<HtmEngineError> {
    const text = await response.text().catch(() => '');
    const problem = problemIn(text);
    if (problem === null) return this.#stranger(response.status, text);
    const { code, detail } = problem;
    return new HtmEngineError('engine_refused', detail, { status: response.status, code, method, path });
  }

  #stranger(status: number, text: string): HtmEngineError {
    return new HtmEngineError(
      'engine_unreachable',
      `what answers at ${this.url} does not speak like an HTM engine (status ${status}: ${JSON.stringify(text.slice(0, SHOWN_CHARACTERS))}); say where the engine is with --url or HTMENGINE_URL`,
    );
  }
}

/** True for what the engine itself refused with this code. */
export function refusedWith(error: unknown, code: string): error is HtmEngineError {
  return error instanceof HtmEngineError && error.code === 'engine_refused' && error.details.code === code;
}

function baseUrl(url: string): string {
  const parsed = URL.parse(url.includes('://') ? url : `http://${url}`);
  if (parsed === null || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:'))
    throw new HtmEngineError(
      'invalid_argument',
      `${JSON.stringify(url)} is no address of an engine: it looks like http://127.0.0.1:8080`,
    );
  return `${parsed.origin}${parsed.pathname}`.replace(/\/+$/, '');
}

function problemIn(text: string): { code: string; detail: string } | null {
  try {
    const problem = JSON.parse(text) as { code?: unknown; detail?: unknown } | null;
    if (typeof problem?.code !== 'string' || typeof problem.detail !== 'string') return null;
    return { code: problem.code, detail: problem.detail };
  } catch {
    return null;
  }
}
