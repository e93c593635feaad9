import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { HtmEngineError } from '../../errors.ts';
import type { EngineClient } from '../../client/engine-client.ts';
import { hasNoRoom, patiently } from '../../client/patience.ts';
import type { SampleJson } from '../../client/types.ts';

/** Why one sample of a batch was not stored. */
export interface Refusal {
  /** Of the sample, from 0. */
  readonly position: number;
  readonly reason: string;
}

/** Where samples are sent. */
export interface Destination {
  /** @returns the refused ones of the batch. */
  send(samples: readonly SampleJson[]): Promise<readonly Refusal[]>;
  /** Resolves when everything has arrived. */
  end(): Promise<void>;
}

/** An engine without room is waited for this long; `send` is for people. */
const PATIENCE_MS = 10_000;

/** Over HTTP: what is not refused is stored. */
export function httpDestination(client: EngineClient): Destination {
  return {
    async send(samples) {
      const options = { waitsFor: hasNoRoom, patienceMs: PATIENCE_MS };
      const { answer } = await patiently(() => client.sendSamples(samples), options);
      return answer.problems.map(({ line, reason, message }) => ({
        position: line - 1,
        reason: `${reason}: ${message}`,
      }));
    },
    end: () => Promise.resolve(),
  };
}

/** As lines of Graphite's plaintext protocol, which has no answers: refusals are counted by the engine alone. */
export class GraphiteDestination implements Destination {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** @param address `host:port`. @throws HtmEngineError `invalid_argument`, `engine_unreachable` */
  static async open(address: string): Promise<GraphiteDestination> {
    const url = URL.parse(`tcp://${address}`);
    if (url === null || url.port === '' || url.hostname === '')
      throw new HtmEngineError(
        'invalid_argument',
        `${JSON.stringify(address)} is no address: it looks like 127.0.0.1:2003`,
      );
    const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) });
    try {
      await once(socket, 'connect');
    } catch (error) {
      throw cut(address, error);
    }
    socket.on('error', () => undefined); // whoever writes next is told
    socket.resume();
    return new GraphiteDestination(socket);
  }

  async send(samples: readonly SampleJson[]): Promise<readonly Refusal[]> {
    const refusals: Refusal[] = [];
    const nowSeconds = Math.floor(Date.now() / 1000);
    let lines = '';
    samples.forEach(({ name, value, timestamp = nowSeconds }, position) => {
      if (/\s/.test(name))
        refusals.push({
          position,
          reason: 'Graphite lines cannot carry a name with blanks: send it over HTTP',
        });
      else lines += `${name} ${value} ${timestamp}\n`;
    });
    await new Promise<void>((resolve, reject) => {
      this.#socket.write(lines, (error) => {
        if (error) reject(cut('Graphite', error));
        else resolve();
      });
    });
    return refusals;
  }

  async end(): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.end();
    await closed;
  }
}

function cut(address: string, error: unknown): HtmEngineError {
  const reason = error instanceof Error ? error.message : String(error);
  return new HtmEngineError(
    'engine_unreachable',
    `no Graphite listener takes lines at ${address}: ${reason}; "htmengine up" says where it listens`,
  );
}
