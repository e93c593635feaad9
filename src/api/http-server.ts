import { readFileSync, statSync } from 'node:fs';
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Logger } from 'pino';
import { HtmEngineError } from '../errors.ts';

export interface HttpServerOptions {
  /** Connections at the same time. */
  readonly maxConnections: number;
  /** Who has not sent its whole request in this time is cut off. */
  readonly requestTimeoutMs: number;
  /** PEM files of certificate and key; both or neither. */
  readonly tlsCertFile: string;
  readonly tlsKeyFile: string;
}

const MAX_HEADER_BYTES = 16_384;
const KEEP_ALIVE_MS = 72_000;
/** How often the files of the certificate are looked at. */
const TLS_POLL_MS = 10_000;

/** A server with its bounds; with a certificate it speaks TLS and takes a new one as soon as the files change. @throws HtmEngineError `config_invalid` */
export function createHttpServer(handler: RequestListener, options: HttpServerOptions, log: Logger): Server {
  const { maxConnections, requestTimeoutMs, tlsCertFile, tlsKeyFile } = options;
  const limits: ServerOptions = {
    maxHeaderSize: MAX_HEADER_BYTES,
    requestTimeout: requestTimeoutMs,
    headersTimeout: requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: Math.min(30_000, requestTimeoutMs / 2),
  };
  if ((tlsCertFile === '') !== (tlsKeyFile === '')) {
    throw new HtmEngineError('config_invalid', 'api.tlsCertFile and api.tlsKeyFile: give both or neither');
  }
  const server =
    tlsCertFile === ''
      ? createServer(limits, handler)
      : createCertifiedServer(handler, limits, { cert: tlsCertFile, key: tlsKeyFile }, log);
  server.maxConnections = maxConnections;
  return server;
}

interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

function createCertifiedServer(
  handler: RequestListener,
  limits: ServerOptions,
  files: TlsFiles,
  log: Logger,
): Server {
  let state = stateOf(files);
  const server = createTlsServerOf(handler, limits, files);
  const timer = setInterval(() => {
    const present = stateOf(files);
    if (present === state) return;
    state = present;
    try {
      server.setSecureContext(read(files));
      log.info({ event: 'api.certificate_loaded' }, 'the certificate has changed: the new one is used');
    } catch (error) {
      log.error(
        { event: 'api.certificate_refused', err: error },
        'the changed certificate cannot be used: the old one is',
      );
    }
  }, TLS_POLL_MS);
  timer.unref();
  server.once('close', () => clearInterval(timer));
  return server;
}

function createTlsServerOf(handler: RequestListener, limits: ServerOptions, files: TlsFiles) {
  try {
    return createTlsServer({ ...limits, minVersion: 'TLSv1.2', ...read(files) }, handler);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HtmEngineError(
      'config_invalid',
      `api.tlsCertFile and api.tlsKeyFile cannot be used: ${reason}`,
    );
  }
}

function read({ cert, key }: TlsFiles): { cert: Buffer; key: Buffer } {
  return { cert: readFileSync(cert), key: readFileSync(key) };
}

/** Differs once a file was written. */
function stateOf({ cert, key }: TlsFiles): string {
  return [cert, key]
    .map((file) => {
      const stat = statSync(file, { throwIfNoEntry: false });
      return `${String(stat?.mtimeMs)} ${String(stat?.size)}`;
    })
    .join();
}
