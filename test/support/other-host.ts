import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * A host of its own as far as the network is concerned (a network namespace, so root is needed), joined to this one by a
 * cable that can be pulled: nothing is refused or closed then, packets only never arrive.
 */
export class OtherHost {
  /** Its address as seen from here. */
  readonly address: string;
  /** Begins the command of a process that runs there. */
  readonly prefix: readonly string[];
  readonly #name: string;
  /** This host's end of the cable. */
  readonly #here: string;
  readonly #device: string;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();

  private constructor(name: string, subnet: string) {
    this.#name = name;
    this.#device = `${name}a`;
    this.#here = `${subnet}.1`;
    this.address = `${subnet}.2`;
    this.prefix = ['ip', 'netns', 'exec', name];
  }

  /** @throws where the system does not allow it */
  static async create(): Promise<OtherHost> {
    const id = randomBytes(3);
    const host = new OtherHost(`htm${id.toString('hex')}`, `10.${id[0]}.${id[1]}`);
    await host.#connect();
    return host;
  }

  async #connect(): Promise<void> {
    const there = `${this.#name}b`;
    await ip('netns', 'add', this.#name);
    await ip('link', 'add', this.#device, 'type', 'veth', 'peer', 'name', there, 'netns', this.#name);
    await ip('addr', 'add', `${this.#here}/24`, 'dev', this.#device);
    await ip('link', 'set', this.#device, 'up');
    for (const args of [
      ['addr', 'add', `${this.address}/24`, 'dev', there],
      ['link', 'set', there, 'up'],
      ['link', 'set', 'lo', 'up'],
    ])
      await ip('-n', this.#name, ...args);
  }

  /** Lets processes there reach what listens on this host's loopback. @returns the URL as it is from there */
  async reach(url: string): Promise<string> {
    const target = new URL(url);
    const server = createServer((from) => {
      const to = connect(Number(target.port), target.hostname);
      for (const [socket, other] of [
        [from, to],
        [to, from],
      ] as const) {
        this.#sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
    this.#servers.push(server);
    server.listen(0, this.#here);
    await once(server, 'listening');
    const from = new URL(url);
    from.hostname = this.#here;
    from.port = String((server.address() as AddressInfo).port);
    return from.href;
  }

  async pullCable(): Promise<void> {
    await ip('link', 'set', this.#device, 'down');
  }

  async plugIn(): Promise<void> {
    await ip('link', 'set', this.#device, 'up');
  }

  /** The processes there must have ended. */
  async remove(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const server of this.#servers) server.close();
    // The cable goes with it.
    await ip('netns', 'del', this.#name);
  }
}

async function ip(...args: string[]): Promise<void> {
  await run('ip', args);
}
