import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/resolve.ts';
import { type MetricJson, type RowJson, until } from '../support/engine-process.ts';
import { sendAll } from '../support/sender.ts';

/**
 * What an operator runs after an installation: the services of the application whose configuration
 * APPLICATION_CONFIG_PATH names (by default test/skeleton-app/conf) must run on this machine. Everything goes over
 * their ports, under names that are these tests' own, and is deleted again.
 */
const { APPLICATION_CONFIG_PATH = join(import.meta.dirname, '../skeleton-app/conf') } = process.env;
const config = loadConfig({}, { ...process.env, APPLICATION_CONFIG_PATH });
const url = process.env['HTMENGINE_URL'] ?? `http://127.0.0.1:${config.api.port}`;
const PREFIX = `integration.${randomUUID()}`;
const NOW = Math.floor(Date.now() / 1000 / 300) * 300;
const names = { ranged: `${PREFIX}.ranged`, estimated: `${PREFIX}.estimated` };

const send = (...lines: string[]) =>
  sendAll(config.listener.graphite.port, lines.map((line) => `${line}\n`).join(''));

async function metric(name: string): Promise<MetricJson> {
  const answer = await fetch(`${url}/api/v1/metrics/${name}`);
  if (!answer.ok) throw new Error(`${answer.status} for metric ${name}`);
  return (await answer.json()) as MetricJson;
}

async function rows(name: string): Promise<RowJson[]> {
  const answer = await fetch(`${url}/api/v1/metrics/${name}/data?limit=1000`);
  return ((await answer.json()) as { rows: RowJson[] }).rows;
}

const monitor = (name: string, params: object) =>
  fetch(`${url}/${name}`, { method: 'PUT', body: JSON.stringify(params) });
const exists = async (name: string) => (await fetch(`${url}/api/v1/metrics/${name}`)).ok;
const scored = (name: string, count: number) =>
  until(`${count} scores of ${name}`, async () => (await metric(name)).scoredRows >= count, 60_000);

beforeAll(async () => {
  await fetch(`${url}/readyz`).catch((error: unknown) => {
    throw new Error(`no engine answers at ${url}: start the services first, or set HTMENGINE_URL`, {
      cause: error,
    });
  });
});

afterAll(async () => {
  for (const name of Object.values(names)) await fetch(`${url}/${name}`, { method: 'DELETE' });
});

describe('the services of an installation', () => {
  it('store samples that come over TCP and score them once a model is there', async () => {
    await send(`${names.ranged} 5000 ${NOW - 600}`, `${names.ranged} 6000 ${NOW - 301}`);
    await until('the metric', () => exists(names.ranged));
    expect((await monitor(names.ranged, { min: 0, max: 10_000 })).status).toBe(201);
    await send('no sample', `${names.ranged} 7000.5 ${NOW}.5`);
    await scored(names.ranged, 3);
    expect(await rows(names.ranged)).toMatchObject([
      { rowid: 1, value: 5000, timestamp: NOW - 600 },
      { rowid: 2, value: 6000, timestamp: NOW - 301 },
      { rowid: 3, value: 7000.5, timestamp: NOW },
    ]);
  });

  it('refuse to monitor a metric twice, or with one bound', async () => {
    expect((await monitor(names.ranged, { min: 0, max: 1 })).status).toBe(409);
    expect((await monitor(names.estimated, { min: 0 })).status).toBe(400);
  });

  it('find the range of a metric without one as soon as 288 rows are there', async () => {
    const line = (index: number) => `${names.estimated} ${index % 20} ${NOW - 300 * (288 - index)}`;
    await send(line(0), line(1));
    await until('the metric', () => exists(names.estimated));
    expect((await monitor(names.estimated, {})).status).toBe(201);
    expect((await metric(names.estimated)).state).toBe('PENDING_DATA');
    await send(...Array.from({ length: 286 }, (_, index) => line(index + 2)));
    await scored(names.estimated, 288);
    expect((await metric(names.estimated)).state).toBe('ACTIVE');
  });

  it('forget a metric that is deleted, and take its name again', async () => {
    expect((await fetch(`${url}/${names.ranged}`, { method: 'DELETE' })).ok).toBe(true);
    expect(await exists(names.ranged)).toBe(false);
    await send(`${names.ranged} 1 ${NOW - 900}`);
    await until('the metric', () => exists(names.ranged));
    expect(await rows(names.ranged)).toMatchObject([{ rowid: 1, value: 1 }]);
  });
});
