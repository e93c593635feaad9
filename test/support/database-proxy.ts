import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What becomes of a connection when a commit passes through it. */
export type CommitFault =
  /** It is cut before the server hears of the commit. */
  | 'lost before'
  /** It is cut after the server has answered, and the answer is kept back. */
  | 'answer lost'
  /** It is kept back, and the connection stays: the process has been stopped in the middle of its transaction. */
  | 'stands still';

/** A server's port as the client sees it, with faults on demand. */
export class DatabaseProxy {
  readonly #server: Server;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #sockets = new Set<Socket>();
  #faults: CommitFault[] = [];
  #isDown = false;

  private constructor(target: { host: string; port: number }) {
    this.#target = target;
    this.#server = createServer((client) => this.#serve(client));
  }

  /** Listens on a free port of this machine in front of the server of `url`. */
  static async start(url: string): Promise<{ proxy: DatabaseProxy; url: string }> {
    const { hostname, port } = new URL(url);
    const proxy = new DatabaseProxy({ host: hostname, port: Number(port) });
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    const through = new URL(url);
    through.port = String((proxy.#server.address() as AddressInfo).port);
    return { proxy, url: through.href };
  }

  /** Lets these happen to the next commits, one each. */
  failCommits(...faults: CommitFault[]): void {
    this.#faults = faults;
  }

  /** Faults that have not happened yet. */
  get faultsLeft(): number {
    return this.#faults.length;
  }

  /** Cuts all connections, and refuses new ones until `up`. */
  down(): void {
    this.#isDown = true;
    this.cut();
  }

  up(): void {
    this.#isDown = false;
  }

  /** Cuts all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(client: Socket): void {
    if (this.#isDown) {
      client.destroy();
      return;
    }
    const server = connect(this.#target);
    let keepsBack = false;
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.on('data', (bytes) => {
      const fault = isCommit(bytes) ? this.#faults.shift() : undefined;
      if (fault === 'lost before') {
        client.destroy();
        return;
      }
      keepsBack = fault === 'answer lost';
      if (fault !== 'stands still') server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (keepsBack) client.destroy();
      else client.write(bytes);
    });
  }
}

/** Both protocols send the statement as it is. */
function isCommit(bytes: Buffer): boolean {
  return bytes.length < 20 && bytes.includes('commit');
}
