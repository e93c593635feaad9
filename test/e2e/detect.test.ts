import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Script } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import sine from '../../src/htm/testing/sine-series.json' with { type: 'json' };
import { temporaryDirectory } from '../support/engine-process.ts';

/** `htmengine detect` as a user meets it, each run a process of its own. */
const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');
const SMALL = `timestamp,host,value
2020-09-13 12:00:00,"a ""b"", c",1
2020-09-13 12:05:00,d,2
2020-09-13 12:10:00,,1.50
`;
const BAD = `timestamp,value
2020-09-13 12:00:00,1
2020-09-13 12:05:00,abc
2020-09-13 12:10:00,2
2020-09-13 12:10:00,3
2020-09-13 12:05:00,4
soon,5
2020-09-13 12:15:00,6,7
2020-09-13 12:20:00,1"2
2020-09-13 12:25:00,8
`;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeEach(async () => {
  directory = await temporaryDirectory();
});
afterEach(() => directory.remove());

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

async function detect(args: string[], input?: string): Promise<Ended> {
  const environment = { ...process.env, TMPDIR: directory.path };
  const running = promisify(execFile)(process.execPath, [MAIN, 'detect', ...args], { env: environment });
  running.child.stdin?.on('error', () => undefined).end(input);
  try {
    return { code: 0, ...(await running) };
  } catch (error) {
    const { code, stdout, stderr } = error as Ended;
    return { code, stdout, stderr };
  }
}

async function file(name: string, text: string | Uint8Array): Promise<string> {
  const path = join(directory.path, name);
  await writeFile(path, text);
  return path;
}

/** Rows of CSV without quotes. */
const cells = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));

function sineCsv(rows: number): string {
  const lines = sine.slice(0, rows).map((value, hour) => `${3600 * hour},${value}`);
  return ['timestamp,value', ...lines, ''].join('\n');
}

describe('htmengine detect', () => {
  it.each([
    // Raw scores of the model reference, section 12.10; its resolution is that of this range.
    {
      variant: 'cpp',
      scores: '1 1 1 1 1 1 1 .975 .875 .975 1 1 1 1 1 1 1 1 1 .9 .7 1 1 1 1 .075 .1 .1 .1 .05 0 .025',
    },
    { variant: 'tm_cpp', scores: `${'1 '.repeat(54)}.8 .8 .675 .975 1 1` },
  ])('gives the raw scores of the original, variant $variant', async ({ variant, scores }) => {
    const expected = scores.split(' ').map((score) => Math.fround(Number(score)));
    const path = await file('sine.csv', sineCsv(expected.length));
    const { code, stdout, stderr } = await detect([
      path,
      '--min',
      '-20',
      '--max',
      '120',
      '--variant',
      variant,
    ]);
    expect(code, stderr).toBe(0);
    const [header, ...rows] = cells(stdout);
    expect(header).toEqual(['timestamp', 'value', 'raw_score', 'anomaly_score', 'log_likelihood']);
    expect(rows.map(([, , raw]) => Number(raw))).toEqual(expected);
  });

  it('keeps the input columns and adds the scores', async () => {
    const { code, stdout, stderr } = await detect([await file('small.csv', SMALL)]);
    expect(code, stderr).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    for (const [i, line] of SMALL.trimEnd().split('\n').entries()) expect(lines[i]).toContain(`${line},`);
    // Nothing is known at the first row; log(0.5) / log(1e-10) is the log-likelihood of "undecided".
    expect(lines[1]).toBe('2020-09-13 12:00:00,"a ""b"", c",1,1,0.5,0.0301029996658834');
    expect(stderr).toContain('Still learning: 3 of 388 rows');
    expect(stderr).not.toContain('\u001b');
  });

  it('gives the same for standard input, and leaves no copy behind', async () => {
    const path = await file('sine.csv', sineCsv(40));
    const before = await readdir(directory.path);
    const fromFile = await detect([path]);
    const fromInput = await detect(['-'], sineCsv(40));
    expect(fromInput.stdout).toBe(fromFile.stdout);
    expect(fromInput.stderr).toBe(fromFile.stderr.replace(path, 'standard input'));
    expect(await readdir(directory.path)).toEqual(before);
  });

  it.skipIf(process.platform === 'win32')(
    'gives the same for a pipe, which can be read only once',
    async () => {
      const pipe = join(directory.path, 'pipe');
      await promisify(execFile)('mkfifo', [pipe]);
      const [fromPipe] = await Promise.all([detect([pipe]), writeFile(pipe, SMALL)]);
      expect(fromPipe.stdout).toBe((await detect([await file('small.csv', SMALL)])).stdout);
    },
  );

  it('scores a stream row by row while it is still open, if the range is given', async () => {
    const child = spawn(process.execPath, [MAIN, 'detect', '-', '--min', '0', '--max', '9']);
    let output = '';
    const twoRows = new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output.split('\n').length > 3) resolve();
      });
    });
    child.stdin.write('timestamp,value\n0,1\n60,2\n120');
    await twoRows;
    child.stdin.end(',3\n');
    const [code] = (await once(child, 'close')) as [number];
    expect([code, cells(output).length]).toEqual([0, 4]);
  });

  it('ends quietly when nobody reads on', async () => {
    const child = spawn(process.execPath, [MAIN, 'detect', '-', '--min', '0', '--max', '9']);
    let complaints = '';
    child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
    child.stdin.on('error', () => undefined).write('timestamp,value\n0,1\n');
    await once(child.stdout, 'data');
    child.stdout.destroy();
    child.stdin.write(Array.from({ length: 50 }, (_, i) => `${60 * i + 60},1\n`).join(''));
    child.stdin.end();
    const [code] = (await once(child, 'close')) as [number];
    expect([code, complaints]).toEqual([0, '']);
  });

  it('predicts, if asked to', async () => {
    const { stdout } = await detect([await file('sine.csv', sineCsv(60)), '--predict']);
    const [header, ...rows] = cells(stdout);
    expect(header?.at(-1)).toBe('prediction');
    const predictions = rows.map((row) => Number(row.at(-1)));
    expect(predictions.every((value) => value >= 10 && value <= 90)).toBe(true);
    expect(new Set(predictions).size).toBeGreaterThan(5);
  });

  it('writes to files, and then tells the moments on standard output', async () => {
    // Hours that alternate between two values, and a shock.
    const rows = Array.from({ length: 500 }, (_, i) => `${3600 * i},${i === 480 ? 50 : i % 2}`);
    const path = await file('shock.csv', ['timestamp,value', ...rows, ''].join('\n'));
    const out = join(directory.path, 'scored.csv');
    const { code, stdout, stderr } = await detect([path, '--out', out]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('500 rows, variant cpp, range -10 to 60 (that of all rows, widened)');
    // The first moment is the shock's: in its row, line 482, or in one of those that the average still holds it in.
    const first = Number(/^ *time .*\n *1970-01-21 \S+ +(\d+)/m.exec(stdout)?.[1]);
    expect(first).toBeGreaterThanOrEqual(482);
    expect(first).toBeLessThan(492);
    expect(cells(await readFile(out, 'utf8'))).toHaveLength(501);
  });

  it('tells programs the same as JSON', async () => {
    const path = await file('bad.csv', BAD);
    const { code, stdout } = await detect([path, '--json', '--skip-bad', '--min', '0', '--max', '13']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      name: path,
      timestampColumn: 'timestamp',
      valueColumn: 'value',
      variant: 'cpp',
      range: { min: 0, max: 13 },
      rangeGiven: true,
      resolution: 0.1,
      rows: 3,
      learningRows: 3,
      badRows: { count: 6, examples: expect.any(Array) as unknown },
      moments: [],
    });
  });
});

describe('bad rows', () => {
  const REASONS: [number, string][] = [
    [3, 'the value "abc" is no finite decimal number'],
    [5, 'duplicate'],
    [6, 'older'],
    [7, 'the time "soon"'],
    [8, 'it has 3 fields, the header 2'],
    [9, 'a quote stands inside a field that is not quoted'],
  ];

  it('stop the run at the first, with its line and what is wrong', async () => {
    for (const range of [[], ['--min', '0', '--max', '9']]) {
      const { code, stderr } = await detect([await file('bad.csv', BAD), ...range]);
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^htmengine: .*bad\.csv: line 3: the value "abc" is no finite decimal number; .*--skip-bad\n$/,
      );
    }
  });

  it('are left out, counted and named with --skip-bad', async () => {
    const { code, stdout, stderr } = await detect([await file('bad.csv', BAD), '--skip-bad']);
    expect(code, stderr).toBe(0);
    expect(cells(stdout).map(([, value]) => value)).toEqual(['value', '1', '2', '8']);
    expect(stderr).toContain('6 bad rows left out');
    for (const [line, reason] of REASONS) expect(stderr).toContain(`line ${line}: ${reason}`);
  });
});

describe('what it cannot do it says in one line, and exits 1', () => {
  it.each([
    [
      'two values',
      'timestamp,a,b\n0,1,2\n',
      [],
      /x\.csv: 2 columns could hold the number: .*"timestamp", "a", "b"/,
    ],
    [
      'a wrong column',
      SMALL,
      ['--value', 'cpu'],
      /no column "cpu" \(--value\); the header is "timestamp", "host", "value"/,
    ],
    ['no header', '0,1\n60,2\n', [], /the first line must name the columns/],
    ['an empty file', '', [], /x\.csv: there is nothing in it/],
    ['only a header', 'timestamp,value\n', [], /no rows follow the header/],
    ['only bad rows', 'timestamp,value\n0,x\n', ['--skip-bad'], /all its rows are bad/],
    ['one bound', SMALL, ['--min', '1'], /give --min and --max together/],
    ['bounds the wrong way round', SMALL, ['--min', '2', '--max', '1'], /--min 2 must be below --max 1/],
    [
      'a result as input',
      'timestamp,value,raw_score\n0,1,1\n',
      ['--value', 'value'],
      /column raw_score already/,
    ],
    ['text that is not UTF-8', Uint8Array.of(0x74, 0xe4, 0x2c), [], /x\.csv: the text is not UTF-8/],
  ] as const)('%s', async (_, content, args, message) => {
    const { code, stderr } = await detect([await file('x.csv', content), ...args]);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('files that cannot be read or written', async () => {
    const path = await file('small.csv', SMALL);
    const missing = join(directory.path, 'missing', 'file');
    expect((await detect([missing])).stderr).toContain(`cannot read ${missing}: there is no such file`);
    expect((await detect([directory.path])).stderr).toContain('it is a directory');
    expect((await detect([path, '--out', missing])).stderr).toContain(`cannot write ${missing}`);
    expect((await detect([path, '--out', path])).stderr).toContain('is given twice');
    expect(await readFile(path, 'utf8')).toBe(SMALL);
  });
});

describe('--plot', () => {
  it('writes one page that shows everything and asks for nothing', async () => {
    await mkdir(join(directory.path, '<b>'));
    const path = await file('<b>/<script>alert(1)<.csv', SMALL.replace('value', '"v</script>"'));
    const page = join(directory.path, 'plot.html');
    const { code, stderr } = await detect([path, '--out', join(directory.path, 'out.csv'), '--plot', page]);
    expect(code, stderr).toBe(0);
    const html = await readFile(page, 'utf8');
    expect(html).toContain("default-src 'none'");
    expect(html).not.toMatch(/\b(?:src|href|url|import|fetch)\b\s*[=(:]|https?:/i);
    expect(html).not.toMatch(/<script>alert|v<\/script>/);
    expect(html).toContain('v&lt;/script&gt;');

    const scripts = [...html.matchAll(/<script(?<type>[^>]*)>(?<text>[^]*?)<\/script>/g)];
    expect(scripts).toHaveLength(2);
    const data = JSON.parse(scripts[0]?.groups?.text ?? '') as { points: number[][] };
    expect(data.points.map(([from, to, lowest, highest, raw]) => [from, to, lowest, highest, raw])).toEqual([
      [1_599_998_400, 1_599_998_400, 1, 1, 1],
      [1_599_998_700, 1_599_998_700, 2, 2, 1],
      [1_599_999_000, 1_599_999_000, 1.5, 1.5, 1],
    ]);
    expect(() => new Script(scripts[1]?.groups?.text ?? '')).not.toThrow();
    const valuePath = /<path class="value" d="M([^"]*)"/.exec(html)?.[1]?.split('L');
    expect(valuePath).toEqual(['70 300', '627.5 28', '1185 164']);
  });
});
