import type { Logger } from 'pino';

/** How to end what was started, in the opposite order: each service finds those it hands work to until it has ended. */
export class StartedServices {
  readonly #log: Logger;
  readonly #ends: (() => Promise<void> | void)[] = [];

  constructor(log: Logger) {
    this.#log = log;
  }

  /** A service has started; `end` ends it. */
  push(end: () => Promise<void> | void): void {
    this.#ends.push(end);
  }

  /** Ends everything, latest first. One that cannot be ended properly is logged and does not keep the others. */
  async end(): Promise<void> {
    for (let end = this.#ends.pop(); end !== undefined; end = this.#ends.pop()) {
      try {
        await end();
      } catch (error) {
        this.#log.error(
          { event: 'engine.stop_failed', err: error },
          'a service could not be stopped properly',
        );
      }
    }
  }
}
