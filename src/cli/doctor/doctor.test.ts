import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../config/resolve.ts';
import { databaseFile, openDataDirectory } from '../../data-directory.ts';
import { dataFindings, fileSystemFinding, parseLockHolder, spaceFinding } from './data.ts';
import type { Finding } from './finding.ts';
import { clockFinding, filesFinding, memoryFinding, nodeFinding, readMachine } from './machine.ts';
import { networkFindings, parseReadiness, portFinding } from './network.ts';

const GIB = 2 ** 30;
let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'htmengine-doctor-'))));
afterEach(() => rmSync(directory, { recursive: true }));

const verdicts = (findings: readonly Finding[]) =>
  Object.fromEntries(findings.map(({ name, verdict }) => [name, verdict]));
const named = (findings: readonly Finding[], name: string) => findings.find((one) => one.name === name);

describe('the machine', () => {
  const machine = {
    nodeVersion: '24.1.0',
    platform: 'linux x64',
    memoryBytes: 4 * GIB,
    memoryIsLimited: true,
    availableBytes: 3 * GIB,
    maxOpenFiles: 1024,
  };

  it('is read', () => {
    const read = readMachine();
    expect(read.memoryBytes).toBeGreaterThan(0);
    expect(read.availableBytes).toBeGreaterThan(0);
    expect(read.nodeVersion).toBe(process.versions.node);
    if (process.platform === 'linux') expect(read.maxOpenFiles).toBeGreaterThan(0);
  });

  it('needs a Node.js that is new enough', () => {
    expect(nodeFinding(machine).verdict).toBe('ok');
    expect(nodeFinding({ ...machine, nodeVersion: '22.9.0' }).verdict).toBe('problem');
  });

  it('needs memory for the models and the engine, within the limit of its control group', () => {
    expect(memoryFinding(machine, GIB, false).verdict).toBe('ok');
    expect(memoryFinding(machine, 4 * GIB, false).verdict).toBe('problem');
    expect(memoryFinding(machine, 4 * GIB, false).found).toContain('control group');
    expect(memoryFinding(machine, 3 * GIB, false).verdict).toBe('warning');
    // What a running engine has taken already is not available any more, and need not be.
    expect(memoryFinding(machine, 3 * GIB, true).verdict).toBe('ok');
  });

  it('proposes a budget that it would accept', () => {
    const [, proposed] = /to (\d+) or less/.exec(memoryFinding(machine, 5 * GIB, false).fix ?? '') ?? [];
    expect(memoryFinding(machine, Number(proposed), false).verdict).toBe('ok');
  });

  it('needs a file for every connection', () => {
    expect(filesFinding(machine, 900).verdict).toBe('ok');
    expect(filesFinding(machine, 1000)).toMatchObject({
      verdict: 'warning',
      fix: expect.stringContaining('1100') as string,
    });
    expect(filesFinding({ maxOpenFiles: null }, 1000).verdict).toBe('ok');
  });

  it('needs a clock that can be right', () => {
    expect(clockFinding(Date.UTC(2027, 5)).verdict).toBe('ok');
    expect(clockFinding(0).verdict).toBe('problem');
    expect(clockFinding(Date.UTC(2130, 0)).verdict).toBe('problem');
  });
});

describe('the data directory', () => {
  it('may be absent, and is not made', async () => {
    const path = join(directory, 'a/b');
    const { findings, held } = await dataFindings(path);
    expect(held).toBe(false);
    expect(named(findings, 'data directory')).toMatchObject({
      verdict: 'ok',
      found: expect.stringContaining('does not exist') as string,
    });
    expect(readdirSync(directory)).toEqual([]);
  });

  it('is examined and left as it was', async () => {
    const { findings, held } = await dataFindings(directory);
    expect(held).toBe(false);
    expect(findings.filter(({ verdict }) => verdict === 'problem')).toEqual([]);
    expect(named(findings, 'durability')?.found).toContain('synced');
    expect(readdirSync(directory)).toEqual([]);
  });

  it('may not be a file', async () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    for (const path of [file, join(file, 'data')])
      expect(verdicts((await dataFindings(path)).findings)).toEqual({ 'data directory': 'problem' });
  });

  it('may be held by an engine, which is not disturbed', async () => {
    const held = openDataDirectory(directory);
    const { findings, held: found } = await dataFindings(directory);
    expect(found).toBe(true);
    const lock = named(findings, 'lock');
    expect(lock?.verdict).toBe('ok');
    if (process.platform === 'linux') expect(lock?.found).toContain(`process ${process.pid}`);
    expect(() => openDataDirectory(directory)).toThrow(expect.objectContaining({ code: 'store_locked' }));
    held.release();
    expect((await dataFindings(directory)).held).toBe(false);
    openDataDirectory(directory).release();
  });

  it('has a database that is one', async () => {
    writeFileSync(databaseFile(directory), 'something else altogether');
    expect(verdicts((await dataFindings(directory)).findings)).toMatchObject({
      database: 'problem',
      durability: 'ok',
    });
  });

  it('needs room', () => {
    expect([5 * GIB, GIB / 2, 1000].map((bytes) => spaceFinding(bytes).verdict)).toEqual([
      'ok',
      'warning',
      'problem',
    ]);
  });

  it('is not on a network, and should be on a disk', () => {
    const ext4 = 0xef53;
    const [nfs, tmpfs] = [0x6969, 0x01021994];
    expect([ext4, nfs, tmpfs].map((type) => fileSystemFinding(type).verdict)).toEqual([
      'ok',
      'problem',
      'warning',
    ]);
  });

  it('has a lock whose holder the kernel tells (proc_locks)', () => {
    const locks = [
      '1: POSIX  ADVISORY  READ 11 08:01:77 128 128',
      '2: POSIX  ADVISORY  WRITE 4711 08:01:77 1073741824 1073742335',
      '3: FLOCK  ADVISORY  WRITE 12 08:01:78 0 EOF',
      '',
    ].join('\n');
    expect(parseLockHolder(locks, 77)).toBe(4711);
    expect(parseLockHolder(locks, 79)).toBeNull();
    expect(parseLockHolder('', 77)).toBeNull();
  });
});

describe('the network', () => {
  const config = (httpPort: number, graphitePort = 0) =>
    parseConfig({ api: { port: httpPort }, listener: { graphite: { port: graphitePort } } });

  /** What answers every request with this. */
  async function answering(status: number, body: string) {
    const server = createServer((_request, response) => response.writeHead(status).end(body)).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    return { port: (server.address() as AddressInfo).port, close: () => server.close() };
  }

  it('is all well where any free port will do', async () => {
    expect(verdicts(await networkFindings(config(0), false))).toEqual({
      HTTP: 'ok',
      'Graphite TCP': 'ok',
      'Graphite UDP': 'ok',
      engine: 'ok',
    });
  });

  it.each([
    ['an engine that is ready', 200, '{"status":"ready"}', true, 'ok', 'ok'],
    ["another directory's engine", 200, '{"status":"ready"}', false, 'problem', 'problem'],
    [
      'an engine that is not ready',
      503,
      '{"status":"not ready","reason":"disk full"}',
      true,
      'ok',
      'problem',
    ],
    ['another program', 404, '<html>', false, 'problem', 'problem'],
  ])('tells %s on the port of HTTP', async (_who, status, body, held, port, engine) => {
    const server = await answering(status, body);
    const findings = await networkFindings(config(server.port), held);
    server.close();
    expect(verdicts(findings)).toMatchObject({ HTTP: port, engine });
  });

  it('tells that the engine which has the directory does not answer, or that none runs', async () => {
    const server = await answering(200, '');
    server.close();
    expect(verdicts(await networkFindings(config(server.port), true))).toMatchObject({ engine: 'problem' });
    expect(verdicts(await networkFindings(config(server.port), false))).toMatchObject({
      HTTP: 'ok',
      engine: 'ok',
    });
  });

  it('tells a port that another program has, and an address that is not ours', async () => {
    const server = await answering(200, '');
    const findings = await networkFindings(config(0, server.port), false);
    server.close();
    expect(named(findings, 'Graphite TCP')).toMatchObject({
      verdict: 'problem',
      found: expect.stringContaining('in use') as string,
      fix: expect.stringContaining('--port') as string,
    });
    expect(named(findings, 'Graphite UDP')?.verdict).toBe('ok');
    const foreign = parseConfig({
      api: { host: '192.0.2.1', port: 1 },
      listener: { graphite: { enabled: false } },
    });
    expect(named(await networkFindings(foreign, true), 'HTTP')).toMatchObject({
      verdict: 'problem',
      fix: expect.stringContaining('--http-host') as string,
    });
  });

  it('excuses a port that is in use only while an engine runs', () => {
    const failure = 'cannot listen: the port is already in use; free it';
    expect(portFinding('x', 'a:1', failure, true).verdict).toBe('ok');
    expect(portFinding('x', 'a:1', failure, false)).toMatchObject({ verdict: 'problem', fix: 'free it' });
  });

  it.each(['', '[]', 'null', '{"status":"fine"}', '1'])('takes %j for no engine', (text) => {
    expect(parseReadiness(text)).toBeNull();
  });
});

it.skipIf(process.platform !== 'linux')('a suspended holder of the lock is a problem', async () => {
  const program = `
    const { openDataDirectory } = await import(${JSON.stringify(join(import.meta.dirname, '../../data-directory.ts'))});
    openDataDirectory(${JSON.stringify(directory)});
    console.log('held');
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGSTOP');
  const { findings, held } = await dataFindings(directory);
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  expect(held).toBe(true);
  expect(named(findings, 'lock')).toMatchObject({
    verdict: 'problem',
    fix: expect.stringContaining(`kill -CONT ${child.pid ?? 0}`) as string,
  });
  expect((await dataFindings(directory)).held).toBe(false);
});
