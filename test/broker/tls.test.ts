import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Sample } from '../../src/metric.ts';
import { openBus, type OpenBus } from '../../src/open-bus.ts';
import { Authority } from '../support/certificates.ts';
import { temporaryDirectory } from '../support/engine-process.ts';
import { missingOwnBroker, OwnBroker } from '../support/own-broker.ts';
import type { ServerIdentity } from '../support/own-server.ts';

const APPLICATION = 'plant';
const PASSWORD = 'not: to be/seen@all';
/** What docs/broker.md says that the user needs. */
const PERMISSIONS = `^(${APPLICATION}\\.|amq\\.(gen|default))`;

describe.skipIf(missingOwnBroker() !== null)('a broker that speaks TLS only', { timeout: 60_000 }, () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let broker: OwnBroker;
  let trusted: Authority;
  let stranger: Authority;
  let own: ServerIdentity;
  let passwordFile: string;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    passwordFile = join(directory.path, 'password');
    await writeFile(passwordFile, `${PASSWORD}\n`);
    trusted = await Authority.create(directory.path, 'trusted');
    stranger = await Authority.create(directory.path, 'stranger');
    own = await trusted.sign('engine', 'DNS:engine');
    broker = await OwnBroker.start({
      tls: {
        identity: await trusted.sign('localhost', 'DNS:localhost'),
        authority: trusted.certificate,
        client: own,
      },
    });
    await broker.createUser('htm', PASSWORD, PERMISSIONS);
  }, 240_000);
  afterAll(async () => {
    await broker.dispose();
    await directory.remove();
  }, 60_000);

  function url({
    host = 'localhost',
    authority = trusted,
    client = own,
    user = 'htm',
  }: { host?: string; authority?: Authority; client?: ServerIdentity | null; user?: string } = {}): string {
    const address = new URL(`amqps://${user}@${host}:${broker.port}`);
    address.searchParams.set('tlsCa', authority.certificate);
    if (client !== null) {
      address.searchParams.set('tlsCert', client.certificate);
      address.searchParams.set('tlsKey', client.key);
    }
    return address.href;
  }

  function open(address: string): Promise<OpenBus> {
    const settings = {
      url: address,
      passwordFile,
      application: APPLICATION,
      heartbeatSeconds: 3,
      prefetchMessages: 4,
      maxSamples: 100,
      maxBatchSamples: 100,
    };
    const telemetry = { log: pino({ level: 'silent' }), registry: new Registry() };
    return openBus(settings, () => Promise.resolve(2), telemetry);
  }

  async function refusal(address: string): Promise<string> {
    const error: unknown = await open(address).then(
      async ({ bus, disconnect }) => {
        await bus.close();
        await disconnect();
        return new Error('it was opened');
      },
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: 'broker_unavailable' });
    const said = String(error) + JSON.stringify(error);
    expect(said).not.toContain(PASSWORD);
    return said;
  }

  it('carries samples for a user who may use no more than what is ours', async () => {
    const { bus, original, disconnect } = await open(url());
    const sample: Sample = { name: 'a', value: 1, timestamp: 1_600_000_000 };
    const stored = Promise.withResolvers<readonly Sample[]>();
    await bus.consumeSamples((deliveries) => {
      stored.resolve(deliveries.flatMap(({ samples }) => samples));
      return Promise.resolve(deliveries.map(() => []));
    });
    await bus.publishSamples([sample]);
    expect(await stored.promise).toEqual([sample]);
    const queue = original?.customDataQueue();
    await queue?.consume((messages) => Promise.resolve(messages.map(() => null)));
    await queue?.close();
    await bus.close();
    await disconnect();
  });

  it('is refused where its certificate is for another host', async () => {
    expect(await refusal(url({ host: '127.0.0.1' }))).toMatch(/does not match|altnames|not in the cert/i);
  });

  it('is refused where a stranger is trusted', async () => {
    expect(await refusal(url({ authority: stranger }))).toMatch(/certificate/i);
  });

  it('does not speak with who has no certificate that it trusts, or is nobody it knows', async () => {
    const intruder = await stranger.sign('intruder', 'DNS:engine');
    await Promise.all([null, intruder].map((client) => refusal(url({ client }))));
    expect(await refusal(url({ user: 'nobody' }))).toMatch(/ACCESS_REFUSED|refused/i);
  });
});
