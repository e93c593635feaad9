import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Looks at one connection; it must not keep the bytes. */
export interface Watcher {
  readonly fromClient?: (bytes: Buffer) => void;
  readonly fromServer?: (bytes: Buffer) => void;
}

/** Listens in front of a database server, passes on everything, and lets somebody look at it. */
export class Relay {
  readonly #server: Server;
  readonly #clients = new Set<Socket>();
  #mostConnections = 0;

  private constructor(target: { host: string; port: number }, watch: () => Watcher) {
    this.#server = createServer((client) => {
      const { fromClient, fromServer } = watch();
      const server = connect(target);
      this.#clients.add(client);
      this.#mostConnections = Math.max(this.#mostConnections, this.#clients.size);
      client.on('data', (bytes) => {
        fromClient?.(bytes);
        server.write(bytes);
      });
      server.on('data', (bytes) => {
        fromServer?.(bytes);
        client.write(bytes);
      });
      for (const socket of [client, server]) {
        socket.setNoDelay(true);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          this.#clients.delete(client);
          client.destroy();
          server.destroy();
        });
      }
    });
  }

  /** @param watch asked for each connection. @returns it and the URL that leads through it. */
  static async start(url: string, watch: () => Watcher = () => ({})): Promise<{ relay: Relay; url: string }> {
    const { hostname, port } = new URL(url);
    const relay = new Relay({ host: hostname, port: Number(port) }, watch);
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    const through = new URL(url);
    through.port = String((relay.#server.address() as AddressInfo).port);
    return { relay, url: through.href };
  }

  /** The most connections that were open at the same time. */
  get mostConnections(): number {
    return this.#mostConnections;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
