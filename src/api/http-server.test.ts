import { once } from 'node:events';
import { copyFileSync, utimesSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Authority } from '../../test/support/certificates.ts';
import { temporaryDirectory } from '../../test/support/engine-process.ts';
import { createHttpServer } from './http-server.ts';

/** More than the time between two looks at the files. */
const LOOK_MS = 11_000;

describe('a certificate whose files change', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  beforeEach(async () => {
    directory = await temporaryDirectory();
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  });
  afterEach(async () => {
    vi.useRealTimers();
    await directory.remove();
  });

  /** Whose certificate the server shows. */
  async function shown(port: number): Promise<string> {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { subject } = socket.getPeerCertificate();
    socket.destroy();
    return String(subject.CN);
  }

  it('is taken without a restart, and one that is of no use is not', async () => {
    const authority = await Authority.create(directory.path, 'authority');
    const [first, second] = [await authority.sign('first', 'DNS:a'), await authority.sign('second', 'DNS:a')];
    const tlsCertFile = join(directory.path, 'in-use.crt');
    const tlsKeyFile = join(directory.path, 'in-use.key');
    let writes = 0;
    const put = ({ certificate, key }: typeof first) => {
      copyFileSync(certificate, tlsCertFile);
      copyFileSync(key, tlsKeyFile);
      // However coarse the file system's clock is.
      utimesSync(tlsCertFile, ++writes, writes);
    };
    put(first);
    const server = createHttpServer(
      (_request, response) => response.end(),
      { maxConnections: 10, requestTimeoutMs: 60_000, tlsCertFile, tlsKeyFile },
      pino({ level: 'silent' }),
    );
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      expect(await shown(port)).toBe('first');
      put(second);
      expect(await shown(port)).toBe('first');
      vi.advanceTimersByTime(LOOK_MS);
      expect(await shown(port)).toBe('second');
      writeFileSync(tlsCertFile, 'no certificate');
      vi.advanceTimersByTime(LOOK_MS);
      expect(await shown(port)).toBe('second');
      put(first);
      vi.advanceTimersByTime(LOOK_MS);
      expect(await shown(port)).toBe('first');
    } finally {
      server.close();
    }
  });
});
