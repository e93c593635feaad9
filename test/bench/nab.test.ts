import { execFile } from 'node:child_process';
import { mkdtemp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const script = join(import.meta.dirname, '../../bench/nab.ts');

/** A corpus of its own: two series of 60 five-minute rows, the first with one labelled window. */
describe('bench:nab', () => {
  let directory: string;
  const time = (i: number) => `2014-04-01 0${Math.floor(i / 12)}:${String((i % 12) * 5).padStart(2, '0')}:00`;
  const rows = Array.from({ length: 60 }, (_, i) => `${time(i)},${i === 40 ? 99 : i % 4}`);
  const bench = (...options: string[]) =>
    run(process.execPath, [script, '--corpus', directory, '--out', join(directory, 'out'), ...options]);

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'htmengine-bench-'));
    await mkdir(join(directory, 'data/real'), { recursive: true });
    await mkdir(join(directory, 'labels'));
    const text = ['timestamp,value', ...rows, ''].join('\n');
    await writeFile(join(directory, 'data/real/one.csv'), text);
    await writeFile(join(directory, 'data/real/two.csv'), text);
    await writeFile(join(directory, 'list.txt'), '# half of it\nreal/one.csv\n');
    const labels = { 'real/one.csv': [[`${time(40)}.000000`, `${time(45)}.000000`]] };
    await writeFile(join(directory, 'labels/combined_windows.json'), JSON.stringify(labels));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('writes what it found for the listed series and prints the scores', async () => {
    const { stdout } = await bench('--files', join(directory, 'list.txt'), '--json');
    const summary = JSON.parse(stdout) as {
      rows: number;
      scores: { detector: string; profiles: { profile: string; normalized: number }[] }[];
    };
    expect(summary.rows).toBe(60);
    expect(summary.scores.map(({ detector }) => detector)).toEqual([
      'with the range rule',
      'without the range rule',
      'range rule alone, no model',
    ]);
    // The spike is at the first row of the window and the only value outside the range.
    expect(summary.scores[2]?.profiles.map(({ normalized }) => normalized)).toEqual([100, 100, 100]);

    expect(await readdir(join(directory, 'out/real'))).toEqual(['htmengine_one.csv']);
    const written = (await readFile(join(directory, 'out/real/htmengine_one.csv'), 'utf8'))
      .trimEnd()
      .split('\n');
    expect(written[0]).toBe('timestamp,value,anomaly_score,raw_score');
    expect(written.slice(1).map((line) => line.split(',').slice(0, 2).join(','))).toEqual(rows);
    const scoresOf = (row: number) => written[row + 1]?.split(',').slice(2).map(Number) ?? [];
    // Nothing is known at the first row: raw score 1, likelihood one half. The range rule speaks at the spike.
    expect(scoresOf(0)[0]).toBeCloseTo(0.0301029996658834, 14);
    expect(scoresOf(0)[1]).toBe(1);
    expect(scoresOf(40)[0]).toBe(1);
  });

  it('runs with the ceiling asked for, and says so', async () => {
    const rawScores = async (...options: string[]) => {
      const { stdout } = await bench('--files', join(directory, 'list.txt'), ...options);
      const written = await readFile(join(directory, 'out/real/htmengine_one.csv'), 'utf8');
      return { head: stdout.split('\n')[0], scores: written.split('\n').map((line) => line.split(',')[3]) };
    };
    const [free, engines, low] = [
      await rawScores(),
      await rawScores('--ceiling', 'on'),
      await rawScores('--ceiling', '60,100000'),
    ];
    expect(free.head).toContain('ceiling off: 1 files');
    expect(engines.head).toContain('ceiling 45000 segments, 1080000 synapses');
    expect(low.head).toContain('ceiling 60 segments, 100000 synapses');
    expect(engines.scores).toEqual(free.scores);
    expect(low.scores).not.toEqual(free.scores);
    await expect(bench('--ceiling', 'half')).rejects.toThrow(/must be on, off, or SEGMENTS,SYNAPSES/);
    await expect(bench('--ceiling', '0,1')).rejects.toThrow(
      /ceiling\.maxSegments must be a whole number from 1/,
    );
  });

  it('says what is wrong with its input, without a stack', async () => {
    const failure = bench('--files', join(directory, 'labels/combined_windows.json'));
    await expect(failure).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^error: .*combined_windows\.json names .*, which the corpus does not have\n$/,
      ) as string,
    });
  });
});
