import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EngineProcess, temporaryDirectory, until } from '../support/engine-process.ts';
import { sendDatagrams } from '../support/graphite.ts';

/** The commands that tell about settings and the machine, and the settings at work, in the built program. */
const MAIN = join(import.meta.dirname, '../../dist/cli/main.js');
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeEach(async () => {
  directory = await temporaryDirectory();
});
afterEach(() => directory.remove());

async function run(args: string[], environment: Record<string, string> = {}) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(
      process.execPath,
      [MAIN, ...args],
      { timeout: 20_000, env: { PATH: process.env['PATH'], ...environment } },
      (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

async function settingsFile(text: string): Promise<string> {
  const file = join(directory.path, 'settings.yaml');
  await writeFile(file, text);
  return file;
}

describe('htmengine check-config', () => {
  it('tells every setting with its origin', async () => {
    const file = await settingsFile('api:\n  port: ${PORT}\nlog: { level: warn }\n');
    const environment = { PORT: '8081', HTMENGINE_SCHEDULER_WORKERS: '3' };
    const { code, stdout, stderr } = await run(
      ['check-config', '--config', file, '--port', '2004'],
      environment,
    );
    expect(code).toBe(0);
    const rows = stdout.split('\n').map((line) => line.split('\t'));
    expect(rows).toContainEqual(['api.port', '8081', `${file}:2`]);
    expect(rows).toContainEqual(['log.level', '"warn"', `${file}:3`]);
    expect(rows).toContainEqual(['scheduler.workers', '3', 'HTMENGINE_SCHEDULER_WORKERS']);
    expect(rows).toContainEqual(['listener.graphite.port', '2004', '--port']);
    expect(rows).toContainEqual(['api.host', '"127.0.0.1"', 'default']);
    expect(stderr).toContain('All is well.');
  });

  it('tells all that is wrong and exits 1, in JSON too', async () => {
    const file = await settingsFile('api: { prot: 1 }\nbus:\n  maxSamples: 0\n');
    const args = ['check-config', '--config', file, '--transport', 'pigeon'];
    const { code, stderr } = await run(args);
    expect(code).toBe(1);
    expect(stderr).toContain('3 problems');
    expect(stderr).toContain('settings.yaml:1: api.prot is not a setting; did you mean api.port?');
    expect(stderr).toContain('settings.yaml:3: bus.maxSamples is 0');
    expect(stderr).toContain(
      '--transport: listener.graphite.transport is "pigeon": it must be one of "tcp", "udp", "both"',
    );

    const json = await run([...args, '--json']);
    expect(json.code).toBe(1);
    const answer = JSON.parse(json.stdout) as {
      valid: boolean;
      problems: { path: string; origin: object }[];
    };
    expect(answer.valid).toBe(false);
    expect(answer.problems.map(({ path }) => path)).toEqual([
      'api.prot',
      'listener.graphite.transport',
      'bus.maxSamples',
    ]);
    expect(answer.problems[2]?.origin).toEqual({ kind: 'file', name: file, line: 3 });
  });

  it('prints the JSON Schema', async () => {
    const { stdout } = await run(['check-config', '--schema']);
    expect(JSON.parse(stdout)).toMatchObject({
      properties: { api: { properties: { port: { maximum: 65_535 } } } },
    });
  });
});

describe('htmengine up', () => {
  it('takes settings from the environment, and lines over UDP', async () => {
    process.env['HTMENGINE_MONITORING_AUTO'] = 'true';
    process.env['HTMENGINE_MONITORING_MINIMUM_ROWS'] = '2';
    const engine = await EngineProcess.start(directory.path).finally(() => {
      delete process.env['HTMENGINE_MONITORING_AUTO'];
      delete process.env['HTMENGINE_MONITORING_MINIMUM_ROWS'];
    });
    await sendDatagrams(engine.graphitePort, ['u 1 1600000000\nu 2 1600000060\nu 3 1600000120\n']);
    await until('the rows to be scored', async () => (await engine.metric('u'))?.scoredRows === 3);
    expect(await engine.counter('htmengine_graphite_accepted_samples_total', 'udp')).toBe(3);
    expect(await engine.end('SIGTERM')).toBe(0);
  });

  it('tells of all wrong settings at once and exits 1', async () => {
    const { code, stderr } = await run([
      'up',
      '--port',
      '70000',
      '--protocol',
      'pickle',
      '--data-dir',
      directory.path,
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain(
      '--port: listener.graphite.port is 70000: it must be a whole number from 0 to 65535',
    );
    expect(stderr).toContain('--protocol: listener.graphite.protocol is "pickle": it must be "plain"');
  });
});

describe('htmengine doctor', () => {
  it('finds a running engine well, and says what to do when its ports are wanted', async () => {
    const engine = await EngineProcess.start(directory.path);
    const ports = ['--port', String(engine.graphitePort), '--http-port', String(engine.httpPort)];
    const well = await run(['doctor', '--data-dir', directory.path, ...ports, '--json']);
    const { healthy, findings } = JSON.parse(well.stdout) as {
      healthy: boolean;
      findings: { name: string; verdict: string; found: string }[];
    };
    expect([well.code, healthy], well.stdout).toEqual([0, true]);
    expect(findings.find(({ name }) => name === 'engine')?.found).toContain('ready');

    const other = await run(['doctor', '--data-dir', join(directory.path, 'other'), ...ports]);
    expect(other.code).toBe(1);
    expect(other.stdout).toMatch(
      /^problem +HTTP .*in use\n +-> free it or choose another with --http-port$/m,
    );
    expect(other.stdout).toContain('4 problems');
    await engine.end('SIGTERM');
  });

  it('tells of settings that are wrong', async () => {
    const { code, stdout } = await run(['doctor', '--port', 'x']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^problem +settings +--port: /m);
  });
});
