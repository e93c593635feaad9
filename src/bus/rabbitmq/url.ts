import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'rabbitmq-client';
import { HtmEngineError } from '../../errors.ts';

/** Where a broker is and how to log in. */
export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly vhost: string;
  readonly tls: boolean;
  /** Certificate authority, certificate and key (PEM files); null for the system's authorities and no certificate of ours. */
  readonly tlsCa: string | null;
  readonly tlsCert: string | null;
  readonly tlsKey: string | null;
}

const PARAMETERS = ['tlsCa', 'tlsCert', 'tlsKey'] as const;
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'amqp:': 5672, 'amqps:': 5671 };

/**
 * Reads `amqp://user:password@host:port/vhost`, or `amqps://...?tlsCa=FILE&tlsCert=FILE&tlsKey=FILE`, whose server's
 * certificate is always checked. Without a path the vhost is `/`, which may also be written `/%2F`.
 * @param password takes the place of the one in the URL, which is better kept elsewhere.
 * @throws HtmEngineError `config_invalid`; its message never has a password
 */
export function parseBrokerUrl(text: string, password?: string): BrokerAddress {
  const url = URL.canParse(text) ? new URL(text) : null;
  const defaultPort = url === null ? undefined : DEFAULT_PORTS[url.protocol];
  if (url === null || defaultPort === undefined || url.hostname === '')
    throw invalid('it must look like amqp://user@host/vhost or amqps://user@host/vhost');
  const tls = url.protocol === 'amqps:';
  for (const name of url.searchParams.keys()) {
    if (!PARAMETERS.some((parameter) => parameter === name))
      throw invalid(`unknown parameter ${name}; there are ${PARAMETERS.join(', ')}`);
    if (!tls) throw invalid(`${name} is for amqps:// only`);
  }
  const path = decoded(url.pathname.slice(1));
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? defaultPort : Number(url.port),
    user: url.username === '' ? 'guest' : decoded(url.username),
    password: password ?? (url.password === '' ? 'guest' : decoded(url.password)),
    vhost: path === '' ? '/' : path,
    tls,
    tlsCa: url.searchParams.get('tlsCa'),
    tlsCert: url.searchParams.get('tlsCert'),
    tlsKey: url.searchParams.get('tlsKey'),
  };
}

/** The address for people: without the password. */
export function describeBroker({ tls, user, host, port, vhost }: BrokerAddress): string {
  const shownHost = host.includes(':') ? `[${host}]` : host;
  return `amqp${tls ? 's' : ''}://${user}@${shownHost}:${port}/${encodeURIComponent(vhost)}`;
}

/** The options for the driver that say where to connect to. @throws HtmEngineError `config_invalid` if a file cannot be read */
export function addressOptions(address: BrokerAddress): ConnectionOptions {
  const { host, port, user, password, vhost, tls, tlsCa, tlsCert, tlsKey } = address;
  return {
    hostname: host,
    port,
    username: user,
    password,
    vhost,
    tls: tls && {
      ...(tlsCa !== null && { ca: readPem('tlsCa', tlsCa) }),
      ...(tlsCert !== null && { cert: readPem('tlsCert', tlsCert) }),
      ...(tlsKey !== null && { key: readPem('tlsKey', tlsKey) }),
    },
  };
}

function readPem(parameter: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw invalid(`${parameter}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('a % in it must be followed by two hex digits');
  }
}

function invalid(problem: string): HtmEngineError {
  return new HtmEngineError('config_invalid', `bus.url: ${problem}`);
}
