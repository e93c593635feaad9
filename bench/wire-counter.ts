import { Relay } from '../test/support/relay.ts';

/** What has gone between the engine's side and the database. */
export interface Traffic {
  readonly roundTrips: number;
  readonly bytes: number;
}

/** Counts what passes between a client and a database server. */
export class WireCounter {
  readonly #relay: Relay;
  readonly #count: { roundTrips: number; bytes: number };

  private constructor(relay: Relay, count: { roundTrips: number; bytes: number }) {
    this.#relay = relay;
    this.#count = count;
  }

  /** @returns it and the URL that leads through it. */
  static async start(url: string): Promise<{ counter: WireCounter; url: string }> {
    const count = { roundTrips: 0, bytes: 0 };
    const { relay, url: through } = await Relay.start(url, () => {
      let asked = false;
      return {
        fromClient: (bytes) => {
          count.bytes += bytes.length;
          asked = true;
        },
        // An answer may come in several pieces.
        fromServer: (bytes) => {
          count.bytes += bytes.length;
          if (asked) count.roundTrips += 1;
          asked = false;
        },
      };
    });
    return { counter: new WireCounter(relay, count), url: through };
  }

  /** So far. A round trip is what the client sends without waiting, and the answer to it. */
  get traffic(): Traffic {
    return { ...this.#count };
  }

  stop(): Promise<void> {
    return this.#relay.stop();
  }
}
