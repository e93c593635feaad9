import { isIPv6 } from 'node:net';

/** Where something listens. */
export interface Address {
  /** A name or an address. */
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:2003`, `[::1]:2003`: an address as it stands in a URL. */
export function hostAndPort({ host, port }: Address): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** An address on this machine at which a listener on `host` can be reached: one on all addresses is on loopback too. */
export function reachableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

/** The URL at which this machine reaches what answers HTTP there, encrypted or not. */
export function localUrl({ host, port }: Address, isEncrypted: boolean): string {
  return `${isEncrypted ? 'https' : 'http'}://${hostAndPort({ host: reachableHost(host), port })}`;
}

/** Whether only programs on this machine reach what listens on `host`: a name of the loopback address, or one of its addresses. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return (
    name === 'localhost' || name.endsWith('.localhost') || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name)
  );
}
