import type { FastifyInstance } from 'fastify';
import { HtmEngineError } from '../../errors.ts';

/** Clients that are remembered: beyond that the one that was seen longest ago is forgotten. */
const MAX_CLIENTS = 10_000;
const MINUTE_MS = 60_000;

interface Budget {
  /** Requests that may come at once. */
  requests: number;
  at: number;
}

/** So many requests a minute of each client: what is not used is kept, up to a minute's worth. */
export class RateLimit {
  /** 0 is no limit. */
  readonly perMinute: number;
  readonly #nowMs: () => number;
  /** Least recently seen first. */
  readonly #budgets = new Map<string, Budget>();

  constructor(perMinute: number, nowMs: () => number = () => performance.now()) {
    this.perMinute = perMinute;
    this.#nowMs = nowMs;
  }

  /** Takes one request of the client's budget. @returns how long it must wait if there is none left, else 0 */
  take(client: string): number {
    if (this.perMinute === 0) return 0;
    const now = this.#nowMs();
    const before = this.#budgets.get(client) ?? { requests: this.perMinute, at: now };
    const gained = ((now - before.at) / MINUTE_MS) * this.perMinute;
    const requests = Math.min(this.perMinute, before.requests + gained);
    const left = requests >= 1 ? requests - 1 : requests;
    this.#budgets.delete(client);
    this.#budgets.set(client, { requests: left, at: now });
    for (const oldest of this.#budgets.keys()) {
      if (this.#budgets.size <= MAX_CLIENTS) break;
      this.#budgets.delete(oldest);
    }
    return requests >= 1 ? 0 : ((1 - requests) / this.perMinute) * MINUTE_MS;
  }

  get clients(): number {
    return this.#budgets.size;
  }
}

/** Refuses requests beyond what is allowed of one token or, without token, one address. */
export function limitRate(app: FastifyInstance, access: { readonly limit: RateLimit }): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { limit } = access;
    const client = request.holder === null ? `address ${request.ip}` : `token ${request.holder.name}`;
    const waitMs = limit.take(client);
    if (waitMs === 0) {
      done();
      return;
    }
    reply.header('retry-after', String(Math.ceil(waitMs / 1000)));
    done(
      new HtmEngineError(
        'too_many_requests',
        `more than ${limit.perMinute} requests a minute (api.maxRequestsPerMinute): send less often, or more at once`,
      ),
    );
  });
}
