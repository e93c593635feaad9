import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

const HEADER_BYTES = 4;
/** The command of MySQL's protocol that carries a statement as text. */
const COM_QUERY = 3;

/** Listens in front of a MySQL or MariaDB server and keeps the text of every statement that passes. */
export class StatementTap {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** By what is left when their values are taken out: one of each kind. */
  readonly #statements = new Map<string, string>();

  private constructor(target: { host: string; port: number }) {
    this.#server = createServer((client) => {
      const server = connect(target);
      const packets = new Packets((packet) => this.#note(packet));
      client.on('data', (bytes) => {
        packets.add(bytes);
        server.write(bytes);
      });
      server.on('data', (bytes) => client.write(bytes));
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
    });
  }

  /** @returns the URL that leads through it. */
  static async start(url: string): Promise<{ tap: StatementTap; url: string }> {
    const { hostname, port } = new URL(url);
    const tap = new StatementTap({ host: hostname, port: Number(port) });
    tap.#server.listen(0, '127.0.0.1');
    await once(tap.#server, 'listening');
    const through = new URL(url);
    through.port = String((tap.#server.address() as AddressInfo).port);
    return { tap, url: through.href };
  }

  /** One of each kind so far; their values are replaced by `?`. */
  get statements(): readonly string[] {
    return [...this.#statements.keys()];
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #note(packet: Buffer): void {
    // The first packet of a command is numbered 0.
    if (packet[3] !== 0 || packet[HEADER_BYTES] !== COM_QUERY) return;
    const statement = packet.toString('utf8', HEADER_BYTES + 1);
    this.#statements.set(withoutValues(statement), statement);
  }
}

/** Cuts a stream of bytes into packets: three bytes of length, one of number, and what they announce. */
class Packets {
  readonly #onPacket: (packet: Buffer) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onPacket: (packet: Buffer) => void) {
    this.#onPacket = onPacket;
  }

  add(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + this.#rest.readUIntLE(0, 3);
      if (this.#rest.length < end) return;
      this.#onPacket(this.#rest.subarray(0, end));
      this.#rest = this.#rest.subarray(end);
    }
  }
}

function withoutValues(statement: string): string {
  return statement
    .replace(/'(?:[^'\\]|\\.|'')*'/gs, '?')
    .replace(/-?\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b/gi, '?')
    .replace(/\?(?:\s*,\s*\?)+/g, '?')
    .replace(/\(\?\)(?:\s*,\s*\(\?\))+/g, '(?)');
}
