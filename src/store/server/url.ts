import { readFileSync } from 'node:fs';
import { HtmEngineError } from '../../errors.ts';

/** Where a database server is and how to log in. */
export interface ServerAddress {
  readonly kind: 'mysql' | 'postgres';
  readonly host: string;
  readonly port: number;
  /** Instead of host and port. MySQL: the socket file; PostgreSQL: the directory it lies in. */
  readonly socket: string | null;
  readonly user: string;
  readonly password: string | null;
  readonly database: string;
  readonly tls: TlsMode;
  /** Certificates (PEM) of who may have signed the server's; null for the system's. */
  readonly tlsCa: string | null;
}

/** `off`: plain; `require`: encrypted, the server's certificate not checked; `verify`: encrypted and checked. */
export type TlsMode = 'off' | 'require' | 'verify';

const DEFAULT_PORTS = { mysql: 3306, postgres: 5432 } as const;
const PARAMETERS = new Set(['socket', 'tls', 'tlsCa']);
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]', '::1']);
const SCHEMES: Readonly<Record<string, 'mysql' | 'postgres'>> = {
  'mysql:': 'mysql',
  'mariadb:': 'mysql',
  'postgres:': 'postgres',
  'postgresql:': 'postgres',
};

/**
 * Reads `mysql://user:password@host:port/database?tls=verify&tlsCa=FILE` (or `postgres://...`). On other machines than
 * this one TLS is `verify` unless the URL says otherwise.
 * @param password takes the place of the one in the URL, which is better kept elsewhere.
 * @throws HtmEngineError `config_invalid`; its message never has a password
 */
export function parseServerUrl(text: string, password?: string): ServerAddress {
  const url = URL.canParse(text) ? new URL(text) : null;
  const kind = url === null ? undefined : SCHEMES[url.protocol];
  if (url === null || kind === undefined) {
    throw invalid('it must look like mysql://user@host/database or postgres://user@host/database');
  }
  for (const name of url.searchParams.keys()) {
    if (!PARAMETERS.has(name))
      throw invalid(`unknown parameter ${name}; there are ${[...PARAMETERS].join(', ')}`);
  }
  const database = decoded(url.pathname.slice(1));
  if (database === '') throw invalid('it names no database: add /NAME behind the host');
  const host = url.hostname === '' ? 'localhost' : url.hostname;
  const socket = url.searchParams.get('socket');
  const given = password ?? (url.password === '' ? null : decoded(url.password));
  return {
    kind,
    host: host.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? DEFAULT_PORTS[kind] : Number(url.port),
    socket,
    user: url.username === '' ? 'htmengine' : decoded(url.username),
    password: given,
    database,
    tls: tlsMode(url.searchParams.get('tls'), socket !== null || LOOPBACK.has(host)),
    tlsCa: url.searchParams.get('tlsCa'),
  };
}

/** Whether a text is meant as the address of a database server. */
export function isServerUrl(text: string): boolean {
  return Object.keys(SCHEMES).some((scheme) => text.startsWith(`${scheme}//`));
}

/** The address for people: without the password. */
export function describeServer({ kind, host, port, socket, user, database }: ServerAddress): string {
  return `${kind}://${user}@${socket ?? `${host}:${port}`}/${database}`;
}

/** How a connection is encrypted. */
export interface TlsSettings {
  /** Whether the server's certificate must be signed by one of `ca` (by default the system's) and be for `host`. */
  readonly verify: boolean;
  /** PEM. */
  readonly ca?: string;
}

/** Null for a plain connection. @throws HtmEngineError `config_invalid` if the certificates cannot be read */
export function tlsSettings({ tls, tlsCa }: ServerAddress): TlsSettings | null {
  if (tls === 'off') return null;
  return { verify: tls === 'verify', ...(tlsCa !== null && { ca: readCertificates(tlsCa) }) };
}

function readCertificates(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw invalid(`tlsCa: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function tlsMode(given: string | null, isLocal: boolean): TlsMode {
  if (given === null) return isLocal ? 'off' : 'verify';
  if (given === 'off' || given === 'require' || given === 'verify') return given;
  throw invalid(`tls must be off, require or verify, not ${JSON.stringify(given)}`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('a % in it must be followed by two hex digits');
  }
}

function invalid(problem: string): HtmEngineError {
  return new HtmEngineError('config_invalid', `store URL: ${problem}`);
}
