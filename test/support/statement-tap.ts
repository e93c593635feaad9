import type { ServerKind } from './database-servers.ts';
import { Relay } from './relay.ts';

export interface SentStatement {
  /** MySQL's have their values in them, PostgreSQL's have `$1`, `$2` and so on. */
  readonly text: string;
  /** Those of `$1`, `$2` and so on, as texts. */
  readonly values: readonly (string | null)[];
}

type Note = (statement: SentStatement) => void;

/** Stands in front of a database server and keeps every kind of statement that passes. */
export class StatementTap {
  readonly #relay: Relay;
  readonly #statements: Map<string, SentStatement>;

  private constructor(relay: Relay, statements: Map<string, SentStatement>) {
    this.#relay = relay;
    this.#statements = statements;
  }

  /** @returns the URL that leads through it. */
  static async start(kind: ServerKind, url: string): Promise<{ tap: StatementTap; url: string }> {
    const statements = new Map<string, SentStatement>();
    const note: Note = (statement) => {
      const what = withoutValues(statement.text);
      if (!statements.has(what)) statements.set(what, statement);
    };
    const { relay, url: through } = await Relay.start(url, () => ({ fromClient: READERS[kind](note) }));
    return { tap: new StatementTap(relay, statements), url: through };
  }

  /** The first of each kind so far, by what is left of it when its values are taken out. */
  get statements(): ReadonlyMap<string, SentStatement> {
    return this.#statements;
  }

  stop(): Promise<void> {
    return this.#relay.stop();
  }
}

type Reader = (note: Note) => (bytes: Buffer) => void;

const READERS: Readonly<Record<ServerKind, Reader>> = { mysql: readMysql, postgres: readPostgres };

const MYSQL_HEADER_BYTES = 4;
/** The command of MySQL's protocol that carries a statement as text. */
const COM_QUERY = 3;

/** Packets: three bytes of length, one of number, and what they announce. */
function readMysql(note: Note): (bytes: Buffer) => void {
  return frames(
    (bytes) => (bytes.length < MYSQL_HEADER_BYTES ? Infinity : MYSQL_HEADER_BYTES + bytes.readUIntLE(0, 3)),
    (packet) => {
      // The first packet of a command is numbered 0.
      if (packet[3] === 0 && packet[MYSQL_HEADER_BYTES] === COM_QUERY)
        note({ text: packet.toString('utf8', MYSQL_HEADER_BYTES + 1), values: [] });
    },
  );
}

const POSTGRES_HEADER_BYTES = 5;

/** Messages: a letter, four bytes of length (these included), and the rest. The first message has no letter. */
function readPostgres(note: Note): (bytes: Buffer) => void {
  let isFirst = true;
  let parsed: string | undefined;
  return frames(
    (bytes) => {
      if (bytes.length < POSTGRES_HEADER_BYTES) return Infinity;
      return isFirst ? bytes.readUInt32BE(0) : 1 + bytes.readUInt32BE(1);
    },
    (message) => {
      const type = isFirst ? '' : String.fromCharCode(message[0] ?? 0);
      isFirst = false;
      const body = message.subarray(POSTGRES_HEADER_BYTES);
      const texts = type === 'Q' || type === 'P' ? body.toString('utf8').split('\0') : [];
      if (type === 'Q') note({ text: texts[0] ?? '', values: [] });
      // To be prepared: its name goes before it, and its first values follow.
      if (type === 'P') parsed = texts[1];
      if (type === 'B' && parsed !== undefined) {
        note({ text: parsed, values: boundValues(body) });
        parsed = undefined;
      }
    },
  );
}

/** Two names that end in 0, the formats of the values (1 is binary), and these, each after its length (-1 for null). */
function boundValues(body: Buffer): (string | null)[] {
  let at = body.indexOf(0, body.indexOf(0) + 1) + 1;
  const next16 = () => body.readInt16BE((at += 2) - 2);
  const formats = Array.from({ length: next16() }, next16);
  return Array.from({ length: next16() }, (_, index) => {
    const length = body.readInt32BE(at);
    at += 4;
    if (length === -1) return null;
    const bytes = body.subarray(at, (at += length));
    const isBinary = (formats.length === 1 ? formats[0] : formats[index]) === 1;
    return isBinary ? `\\x${bytes.toString('hex')}` : bytes.toString('utf8');
  });
}

/** Cuts a stream of bytes into frames. @param lengthOf what begins here; more than there is where that is not known yet. */
function frames(
  lengthOf: (bytes: Buffer) => number,
  onFrame: (frame: Buffer) => void,
): (bytes: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    for (let length = lengthOf(rest); length <= rest.length; length = lengthOf(rest)) {
      onFrame(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
  };
}

function withoutValues(statement: string): string {
  return statement
    .replace(/'(?:[^'\\]|\\.|'')*'/gs, '?')
    .replace(/(?<!\$)-?\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b/gi, '?')
    .replace(/\?(?:\s*,\s*\?)+/g, '?')
    .replace(/\(\?\)(?:\s*,\s*\(\?\))+/g, '(?)');
}
