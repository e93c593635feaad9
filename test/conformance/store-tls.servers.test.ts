import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openServerStore, openStore } from '../../src/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { Authority } from '../support/certificates.ts';
import { SERVER_KINDS } from '../support/database-servers.ts';
import { temporaryDirectory } from '../support/engine-process.ts';
import { missingServerPrograms, OwnServer, type ServerIdentity } from '../support/own-server.ts';

const OPTIONS = { maxConnections: 2, statementTimeoutMs: 10_000 };
const PASSWORD = 'not: to be/seen@all';

for (const kind of SERVER_KINDS) {
  const missing = await missingServerPrograms(kind);
  describe.skipIf(missing !== null)(`a ${kind} server that speaks TLS only`, { timeout: 60_000 }, () => {
    let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
    let server: OwnServer;
    let trusted: Authority;
    let stranger: Authority;
    beforeAll(async () => {
      directory = await temporaryDirectory();
      trusted = await Authority.create(directory.path, 'trusted');
      stranger = await Authority.create(directory.path, 'stranger');
      server = await OwnServer.create(kind);
      await server.start();
      await server.createUser('htm', PASSWORD);
      await serve(await trusted.sign('localhost', 'DNS:localhost'));
    }, 120_000);
    afterAll(async () => {
      await server.remove();
      await directory.remove();
    });

    async function serve(identity?: ServerIdentity): Promise<void> {
      await server.stop();
      await server.start(identity);
    }

    function url(tls: string, authority?: Authority, host = 'localhost'): string {
      const address = new URL(`${kind}://htm@${host}:${server.port}/htm`);
      address.searchParams.set('tls', tls);
      if (authority !== undefined) address.searchParams.set('tlsCa', authority.certificate);
      return address.href;
    }

    function open(address: string, password = PASSWORD): Promise<Store> {
      return openServerStore(address, password, OPTIONS);
    }

    /** Why it cannot be opened. */
    async function refusal(address: string, password?: string): Promise<string> {
      const error: unknown = await open(address, password).then(
        async (store) => {
          await store.close();
          return new Error('it was opened');
        },
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({ code: 'store_unavailable' });
      const said = String(error) + JSON.stringify(error);
      expect(said).not.toContain(PASSWORD);
      return said;
    }

    async function serves(address: string): Promise<void> {
      const store = await open(address);
      await store.ping();
      await store.close();
    }

    it('is not spoken to in plain, nor with a wrong password', async () => {
      expect(await refusal(url('off'))).toMatch(/secure transport|access denied|SSL|encryption/i);
      expect(await refusal(url('require'), 'wrong')).toMatch(/access denied|authentication failed/i);
    });

    it('serves with tls=require, whoever signed its certificate', () => serves(url('require')));

    it('serves with tls=verify where its certificate is signed by who is trusted', () =>
      serves(url('verify', trusted)));

    it('is refused with tls=verify where its certificate is signed by a stranger, or by nobody the system knows', async () => {
      expect(await refusal(url('verify', stranger))).toMatch(/certificate/i);
      expect(await refusal(url('verify'))).toMatch(/certificate/i);
    });

    it('is refused with tls=verify where its certificate is another’s', async () => {
      await serve(await trusted.sign('elsewhere', 'DNS:db.example'));
      expect(await refusal(url('verify', trusted))).toMatch(/altnames|does not match/i);
      await serves(url('require'));
    });

    it('is verified by its address only where that can be done', async () => {
      await serve(await trusted.sign('addressed', 'IP:127.0.0.1'));
      const byAddress = url('verify', trusted, '127.0.0.1');
      if (kind === 'postgres') await serves(byAddress);
      else await expect(open(byAddress)).rejects.toMatchObject({ code: 'config_invalid' });
      await serve(await trusted.sign('named', 'DNS:localhost'));
      if (kind === 'postgres') expect(await refusal(byAddress)).toMatch(/altnames|does not match/i);
    });

    it('is not told anything once it has stopped speaking TLS', async () => {
      await serve();
      expect(await refusal(url('require'))).toMatch(/SSL|secure/i);
      expect(await refusal(url('verify', trusted))).toMatch(/SSL|secure/i);
    });

    it('takes the password from a file', async () => {
      const passwordFile = join(directory.path, 'password');
      await writeFile(passwordFile, `${PASSWORD}\n`);
      const settings = { url: url('off'), passwordFile, busyTimeoutMs: 1000, ...OPTIONS };
      const store = await openStore(settings, '');
      await store.ping();
      await store.close();
    });

    it('that refuses new connections holds an operation up and is no fault of it', async () => {
      const store = await openServerStore(url('off'), PASSWORD, { ...OPTIONS, maxConnections: 1 });
      await store.ping();
      await serve(await trusted.sign('back', 'DNS:localhost'));
      await expect(store.ping()).rejects.toMatchObject({ code: 'store_unavailable' });
      await serve();
      await store.ping();
      await store.close();
    });
  });
}
