import { hostAndPort } from './address.ts';
import { HtmEngineError } from './errors.ts';

/** Why the operating system does not let us listen, and whether it is the address rather than the port. */
const LISTEN_FAULTS: Readonly<Record<string, { readonly reason: string; readonly host?: true }>> = {
  EADDRINUSE: { reason: 'the port is already in use' },
  EACCES: { reason: 'this user may not bind that port' },
  EADDRNOTAVAIL: { reason: 'this machine does not have that address', host: true },
  ENOTFOUND: { reason: 'no address is known for that name', host: true },
  EAI_AGAIN: { reason: 'no address is known for that name', host: true },
};

/** What to tell when a listener cannot bind: who, where, why and what to do. `flag` is the option that changes the port. */
export function listenFailure(
  error: unknown,
  what: string,
  host: string,
  port: number,
  flag: string,
): HtmEngineError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const fault = LISTEN_FAULTS[code];
  const reason = fault?.reason ?? (error instanceof Error ? error.message : String(error));
  const fix =
    fault?.host === true
      ? `choose another address with ${flag.replace('port', 'host')}`
      : `free it or choose another with ${flag}`;
  return new HtmEngineError(
    'listen_failed',
    `cannot listen for ${what} on ${hostAndPort({ host, port })}: ${reason}; ${fix}`,
  );
}
