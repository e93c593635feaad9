import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeEngine, NO_ROOM } from '../support/fake-engine.ts';
import { runCommand, startCommand } from '../support/cli.ts';

/** The commands as a script calls them, against an engine that does what a real one does only by chance. */
let engine: FakeEngine;
let directory: string;

beforeEach(async () => {
  engine = await new FakeEngine().start();
  directory = await mkdtemp(join(tmpdir(), 'htmengine-cli-'));
});
afterEach(async () => {
  await engine.stop();
  await rm(directory, { recursive: true, force: true });
});

const run = (args: string[], input?: string) => runCommand(engine.url, args, input);
const file = async (name: string, content: string) => {
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
};
const addWebAndDb = () => {
  for (const name of ['web.a', 'web.b', 'web.c', 'db.a', 'db.b']) engine.add(name, { state: 'ACTIVE' });
};

it('is silent when its reader has gone, as head goes', async () => {
  const main = join(import.meta.dirname, '../../dist/cli/main.js');
  const { stderr } = await promisify(execFile)('sh', [
    '-c',
    '"$0" "$1" --help | true',
    process.execPath,
    main,
  ]);
  expect(stderr).toBe('');
});

describe('without an engine', () => {
  it('one line says what was tried and how to start one', async () => {
    const { url } = engine;
    await engine.stop();
    const { code, stdout, stderr } = await runCommand(url, ['metrics', 'list']);
    expect([code, stdout, stderr.trim().split('\n').length]).toEqual([1, '', 1]);
    expect(stderr).toContain(url);
    expect(stderr).toContain('htmengine up');
  });

  it('something else that answers there is not taken for one', async () => {
    const server = createServer((_, response) => response.writeHead(404).end('<h1>Not here</h1>'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { code, stderr } = await runCommand(`http://127.0.0.1:${port}`, ['metrics', 'list']);
    server.close();
    expect(code).toBe(1);
    expect(stderr).toContain('does not speak like an HTM engine');
    expect(stderr).toContain('404');
  });
});

describe('metrics and models', () => {
  it('lists over all pages, by pattern, a line each with tabs', async () => {
    addWebAndDb();
    const { code, stdout } = await run(['metrics', 'list', 'web.*', 'db.b']);
    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.split('\t')[0])).toEqual([
      'db.b',
      'web.a',
      'web.b',
      'web.c',
      '',
    ]);
    expect(stdout).toContain('learning 120 of 388');
  });

  it('models are only those that are monitored', async () => {
    engine.add('plain');
    engine.add('watched', { state: 'ACTIVE' });
    const { stdout } = await run(['models', 'list', '--json']);
    expect((JSON.parse(stdout) as { name: string }[]).map(({ name }) => name)).toEqual(['watched']);
  });

  it('shows the state in plain words', async () => {
    engine.add('waits', { state: 'PENDING_DATA', rows: [{ timestamp: 1_600_000_000, value: 42 }] });
    engine.add('broken', { state: 'ERROR' });
    const { stdout } = await run(['metrics', 'show', 'waits', 'broken']);
    expect(stdout).toContain('waiting for data, 1 of 288');
    expect(stdout).toContain('42 at 2020-09-13 12:26:40 UTC');
    expect(stdout).toContain('failed: row 5 cannot be learned');
    expect(stdout).toContain('disk     about 2.0 MiB of rows, 0.5 MiB of saved models');
  });

  it('tells what became of each metric, and fails if one was refused', async () => {
    engine.add('old', { state: 'ACTIVE' });
    const { code, stdout, stderr } = await run([
      'metrics',
      'monitor',
      'old',
      'new',
      '--min',
      '0',
      '--max',
      '9',
    ]);
    expect([code, engine.metrics.get('new')?.state]).toEqual([1, 'PENDING_DATA']);
    expect(stdout).toContain('new: monitored');
    expect(stderr).toContain('old: "old" is monitored already');
    const again = await run(['metrics', 'monitor', 'new', '--json']);
    expect(JSON.parse(again.stdout)).toMatchObject([
      { name: 'new', done: false, code: 'metric_already_monitored' },
    ]);
  });

  it('removes what a pattern chooses only with --yes where nobody can be asked', async () => {
    addWebAndDb();
    const refused = await run(['metrics', 'delete', 'web.*']);
    expect([refused.code, engine.metrics.size]).toEqual([2, 5]);
    expect(refused.stderr).toContain('--yes');
    const done = await run(['metrics', 'delete', 'web.*', '--yes']);
    expect([done.code, Array.from(engine.metrics.keys())]).toEqual([0, ['db.a', 'db.b']]);
    expect((await run(['metrics', 'delete', 'db.a'])).code).toBe(0);
    expect(Array.from(engine.metrics.keys())).toEqual(['db.b']);
  });

  it('takes a pattern for a name with --exact', async () => {
    engine.add('a*');
    engine.add('ab');
    expect((await run(['metrics', 'delete', 'a*', '--exact'])).code).toBe(0);
    expect(Array.from(engine.metrics.keys())).toEqual(['ab']);
  });

  it('says when a pattern matches nothing', async () => {
    const { code, stderr } = await run(['models', 'unmonitor', 'nothing.*', '--yes']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('no metric matches "nothing.*"')]);
  });

  it.each([
    ['create', ['metrics', 'create', 'fresh'], 'POST /api/v1/metrics'],
    ['unmonitor', ['models', 'unmonitor', 'a/b'], 'DELETE /api/v1/metrics/a%2Fb/model'],
    ['delete of a model', ['models', 'delete', 'a/b'], 'DELETE /api/v1/metrics/a%2Fb/model'],
    ['activate', ['models', 'activate', 'a/b'], 'POST /api/v1/metrics/a%2Fb/model/activate'],
    ['restart', ['metrics', 'restart', 'a/b'], 'POST /api/v1/metrics/a%2Fb/model/restart'],
    ['clone', ['metrics', 'clone', 'a/b', 'copy'], 'POST /api/v1/metrics/a%2Fb/model/clone'],
    ['learning', ['models', 'learning', 'a/b', '--off'], 'PUT /api/v1/metrics/a%2Fb/model/learning'],
    [
      'do-not-learn',
      ['models', 'do-not-learn', 'a/b', '--from', '100', '--to', '200'],
      'POST /api/v1/metrics/a%2Fb/model/do-not-learn',
    ],
    ['reset', ['models', 'reset', 'a/b'], 'POST /api/v1/metrics/a%2Fb/model/reset'],
    [
      'delete-rows',
      ['metrics', 'delete-rows', 'a/b', '--from', '100', '--to', '200'],
      'DELETE /api/v1/metrics/a%2Fb/data',
    ],
  ])('%s asks for just that', async (_, args, request) => {
    engine.add('a/b', { state: 'ACTIVE' });
    const { code } = await run(args);
    expect([code, engine.requests]).toEqual([0, [request]]);
  });

  it(
    'tells models what to learn, in whole seconds, and asks before anything may go',
    { timeout: 120_000 },
    async () => {
      addWebAndDb();
      const off = await run(['models', 'learning', 'web.*', '--off']);
      expect([off.code, off.stdout]).toEqual([
        0,
        'web.a: does not learn\nweb.b: does not learn\nweb.c: does not learn\n',
      ]);
      const interval = ['--from', '2023-11-14T22:13:20Z', '--to', '1700000060.5'];
      const left = await run(['models', 'do-not-learn', 'db.a', ...interval]);
      expect(left.stdout).toBe('db.a: not learned: 2023-11-14 22:13:20 to 2023-11-14 22:14:20\n');
      expect(JSON.parse(engine.lastBody)).toEqual({
        from: 1_700_000_000,
        to: 1_700_000_060,
        relearn: false,
      });
      for (const args of [
        ['metrics', 'delete-rows', 'web.*', ...interval],
        ['models', 'restart', 'web.a', '--learn-all'],
      ]) {
        const asked = engine.requests.length;
        expect([(await run(args)).code, args]).toEqual([2, args]);
        expect(engine.requests.slice(asked).filter((request) => !request.startsWith('GET'))).toEqual([]);
      }
      const deleted = await run(['metrics', 'delete-rows', 'web.*', ...interval, '--yes']);
      expect(deleted.stdout).toContain('web.c: 3 rows deleted');
      await run(['models', 'restart', 'web.a', '--relearn', '--learn-all']);
      expect(JSON.parse(engine.lastBody)).toEqual({ how: 'relearn', without: [] });
    },
  );

  it('demo remove takes only what is marked as demo data', async () => {
    engine.add('demo.a', { demo: true });
    engine.add('demo.mine');
    expect((await run(['demo', 'remove'])).code).toBe(0);
    expect(Array.from(engine.metrics.keys())).toEqual(['demo.mine']);
  });
});

describe('export and import of models', () => {
  it('writes specs that go back in, and fails if one is refused', async () => {
    engine.specs = [{ name: 'a' }, { name: 'bad' }];
    const path = join(directory, 'models.json');
    expect((await run(['models', 'export', '--out', path])).code).toBe(0);
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({
      format: 'htmengine-models',
      version: 1,
    });
    const { code, stderr } = await run(['models', 'import', path]);
    expect([code, engine.imported]).toEqual([1, engine.specs]);
    expect(stderr).toContain('bad: min must be less than max');
  });

  it('takes an array from standard input, refuses other documents', async () => {
    expect((await run(['models', 'import', '-'], '[{"name":"a"}]')).code).toBe(0);
    const { code, stderr } = await run(['models', 'import', '-'], '{"format":"other"}');
    expect([code, stderr.includes('no export of models'), engine.imported.length]).toEqual([1, true, 1]);
  });
});

describe('send', () => {
  it('stores a value, with its time', async () => {
    const { code, stdout } = await run(['send', 'room temperature', '-3.5', '2026-01-31T12:00:00Z']);
    expect([code, stdout]).toEqual([0, '1 value stored\n']);
    expect(engine.metrics.get('room temperature')?.rows).toEqual([{ timestamp: 1_769_860_800, value: -3.5 }]);
  });

  it('says of each line of standard input why it was refused, and stores the others', async () => {
    const lines = 'a 1 1600000000\nnonsense\n\na x\na 2 1600000000\na 3 1600000060\n';
    const { code, stdout, stderr } = await run(['send'], lines);
    expect([code, stdout]).toEqual([1, '2 values stored, 3 refused\n']);
    expect(stderr.split('\n').filter(Boolean)).toEqual([
      expect.stringMatching(/value 2: .*no value/),
      expect.stringMatching(/value 4: .*"x"/),
      expect.stringMatching(/value 5: duplicate: /),
    ]);
    expect(engine.metrics.get('a')?.rows.map(({ value }) => value)).toEqual([1, 3]);
  });

  it('sends lines on as they come', async () => {
    const { child, result } = startCommand(engine.url, 'send', '--metric', 'slow');
    child.stdin.write('1 1600000000\n');
    await expect.poll(() => engine.metrics.get('slow')?.rows.length, { timeout: 10_000 }).toBe(1);
    child.stdin.end('2 1600000060\n');
    expect(await result).toMatchObject({ code: 0, stdout: '2 values stored\n' });
  });

  it('is told what is wrong with how it was called', async () => {
    expect((await run(['send', 'onlyname'])).code).toBe(2);
    expect((await run(['send', 'a', '1', '2', '3'])).code).toBe(2);
  });
});

describe('import', () => {
  const series = (rows: number, first = 0) =>
    Array.from({ length: rows }, (_, i) => `${1_600_000_000 + 60 * (first + i)},${first + i}\n`).join('');
  const values = (name: string) => engine.metrics.get(name)?.rows.map(({ value }) => value);

  it('brings a file in, goes on where the rows end, and says what it skipped', async () => {
    const path = await file('web.csv', `timestamp,value\n${series(12_000)}`);
    engine.failures.push(NO_ROOM);
    const { code, stdout } = await run(['import', path]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^12,000 rows of 1 metric stored/)]);
    expect(values('web')).toEqual(Array.from({ length: 12_000 }, (_, i) => i));
    await writeFile(path, `timestamp,value\n${series(12_003)}`);
    const again = await run(['import', path, '--json']);
    expect(JSON.parse(again.stdout)).toMatchObject({ stored: 3, skipped: 12_000, interrupted: false });
    expect(values('web')).toHaveLength(12_003);
  });

  it('does not take its own rows for bad ones when an answer was lost', async () => {
    engine.failures.push(NO_ROOM);
    engine.storesWhenFailing = true;
    const { code, stdout } = await run(
      ['import', '-', '--name', 'a', '--json'],
      `timestamp,value\n${series(10)}`,
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ stored: 10, badRows: { count: 0 } });
  });

  it('reads files in which a column names the metric, each going on from its own rows', async () => {
    engine.add('load.b', { rows: [{ timestamp: 1_600_000_000, value: 9 }] });
    const rows = 'metric,timestamp,value\na,1600000000,1\nb,1600000000,2\na,1600000060,3\nb,1600000060,4\n';
    const { code } = await run(['import', '-', '--prefix', 'load.'], rows);
    expect([code, values('load.a'), values('load.b')]).toEqual([0, [1, 3], [9, 4]]);
  });

  it('reads wide files, where an empty cell is no value', async () => {
    const rows = 'when,x,y\n2026-01-01 00:00:00,1,10\n2026-01-01 00:05:00,,20\n2026-01-01 00:10:00,3,30\n';
    const refused = await run(['import', '-', '--name', 'z'], rows);
    expect([refused.code, refused.stderr.includes('--wide')]).toEqual([1, true]);
    expect((await run(['import', '-', '--wide'], rows)).code).toBe(0);
    expect([values('x'), values('y')]).toEqual([
      [1, 3],
      [10, 20, 30],
    ]);
  });

  const broken = `timestamp,value\n1600000000,1\n1600000060,x\n1600000060,2\n1600000000,3\n9600000000,4\n1600000120,5\n`;

  it('stops at the first bad row, having stored those before it', async () => {
    const { code, stderr } = await run(['import', '-', '--name', 'a'], broken);
    expect([code, values('a')]).toEqual([1, [1]]);
    expect(stderr).toContain('line 3');
    expect(stderr).toContain('the same command goes on');
  });

  it('leaves bad rows out and tells of each with its line, the engine refusing one of them', async () => {
    const { code, stdout } = await run(['import', '-', '--name', 'a', '--skip-bad', '--json'], broken);
    expect([code, values('a')]).toEqual([0, [1, 2]]);
    const { badRows } = JSON.parse(stdout) as { badRows: { examples: { line: number; reason: string }[] } };
    expect(badRows.examples.map(({ line }) => line).sort()).toEqual([3, 5, 6, 7]);
  });

  it('takes back what metrics export wrote', async () => {
    engine.add('b', {
      rows: [
        { timestamp: 1_600_000_000, value: 1.5 },
        { timestamp: 1_600_000_060, value: -2 },
      ],
    });
    engine.add('a,"x"', { rows: [{ timestamp: 1_600_000_000, value: 1e-7 }] });
    const exported = await run(['metrics', 'export']);
    expect(exported.stdout.split('\n')[0]).toBe(
      'metric,timestamp,value,raw_anomaly_score,anomaly_score,log_likelihood',
    );
    const before = structuredClone(Array.from(engine.metrics));
    engine.metrics.clear();
    expect((await run(['import', '-'], exported.stdout)).code).toBe(0);
    expect(new Map(engine.metrics)).toEqual(new Map(before));
  });
});

describe('results', () => {
  it('shows the newest scored rows above a likelihood', async () => {
    const rows = Array.from({ length: 20 }, (_, i) => ({ timestamp: 1_600_000_000 + i, value: i }));
    engine.add('a', { state: 'ACTIVE', rows });
    const { stdout } = await run(['results', 'a', '-n', '3']);
    expect(stdout.split('\n').map((line) => line.split('\t').slice(2).join(' '))).toEqual([
      '17 0.75',
      '18 0.75',
      '19 0.75',
      '',
    ]);
    const none = await run(['results', 'a', '--min-likelihood', '0.8']);
    expect([none.code, none.stdout]).toEqual([0, '']);
  });

  it('follows, goes on after a cut with the last event, and ends at an interrupt with 0', async () => {
    const event = (id: string, name: string, value: number) =>
      `id: ${id}\nevent: result\ndata: ${JSON.stringify({ name, value, timestamp: 1_600_000_000, logLikelihood: 0.6 })}\n\n`;
    const asked: (string | undefined)[] = [];
    engine.onStream = (request, response) => {
      asked.push(request.headers['last-event-id'] as string | undefined);
      if (asked.length === 1) response.end(event('u:1:1', 'web.a', 1) + event('u:1:2', 'db.a', 2));
      else
        response.write(
          `: heartbeat\n\nevent: reset\ndata: {"reason":"too old"}\n\n${event('u:1:3', 'web.b', 3)}`,
        );
    };
    const { child, result } = startCommand(engine.url, 'results', '--follow', 'web.*', '--json');
    let seen = '';
    child.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    await expect.poll(() => seen.split('\n').length, { timeout: 15_000 }).toBe(3);
    child.kill('SIGINT');
    const { code, stdout, stderr } = await result;
    expect([code, asked]).toEqual([0, [undefined, 'u:1:2']]);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { value: number }).value),
    ).toEqual([1, 3]);
    expect(stderr).toContain('trying again');
    expect(stderr).toContain('too old');
  });
});

describe('completion', () => {
  const complete = async (...words: string[]) =>
    (await run(['__complete', '--', ...words])).stdout.split('\n').map((line) => line.split('\t')[0]);

  it('knows commands, options, choices, and the names of metrics', async () => {
    addWebAndDb();
    expect(await complete('metrics')).toEqual(['words', 'metrics', '']);
    expect(await complete('metrics', 'un')).toEqual(['words', 'unmonitor', '']);
    expect(await complete('import', '--ski')).toEqual(['words', '--skip-bad', '']);
    expect(await complete('metrics', 'list', '--sort', 's')).toEqual(['words', 'score', '']);
    expect(await complete('metrics', 'show', 'web.a', 'web.')).toEqual([
      'words',
      'web.a',
      'web.b',
      'web.c',
      '',
    ]);
    expect(await complete('send', '--metric', 'db')).toEqual(['words', 'db.a', 'db.b', '']);
    expect(await complete('import', '')).toEqual(['files', '']);
  });

  it('offers no names, and does not complain, without an engine', async () => {
    const { code, stdout, stderr } = await runCommand('http://127.0.0.1:9', [
      '__complete',
      '--',
      'metrics',
      'show',
      '',
    ]);
    expect([code, stdout, stderr]).toEqual([0, 'words\n', '']);
  });
});
