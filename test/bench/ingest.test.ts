import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { describeIngest, type IngestBench } from '../../bench/ingest-report.ts';
import { parseThreadStat } from '../../bench/proc.ts';
import { temporaryDirectory } from '../support/engine-process.ts';

const run = promisify(execFile);
const script = join(import.meta.dirname, '../../bench/ingest.ts');

describe.runIf(process.platform === 'linux')('bench:ingest', () => {
  it('finds everything stored that it sent, and leaves nothing behind', { timeout: 120_000 }, async () => {
    const directory = await temporaryDirectory();
    try {
      const options = [
        '--metrics',
        '3',
        '--connections',
        '1',
        '5',
        '--seconds',
        '1',
        '--dir',
        directory.path,
      ];
      const { stdout } = await run(process.execPath, [script, ...options, '--json']);
      const { findings, machine } = JSON.parse(stdout) as IngestBench;
      expect(machine.node).toBe(process.version);
      expect(findings.map(({ metrics, connections }) => ({ metrics, connections }))).toEqual([
        { metrics: 3, connections: 1 },
        { metrics: 3, connections: 5 },
      ]);
      for (const { samples, seconds, samplesPerSecond, commitsPerSecond, bytesPerSample, cpu } of findings) {
        expect(seconds).toBeGreaterThanOrEqual(1);
        expect(samplesPerSecond).toBeCloseTo(samples / seconds, 6);
        // A row alone is more than 40 bytes, and all of them went through the log.
        expect(bytesPerSample).toBeGreaterThan(40);
        expect(commitsPerSecond).toBeGreaterThan(0);
        expect(cpu.sqlite).toBeGreaterThan(0);
        expect(cpu.senders).toBeGreaterThan(0);
      }
      expect(await readdir(directory.path)).toEqual([]);
    } finally {
      await directory.remove();
    }
  });

  it('prints a line for each combination', () => {
    const text = describeIngest({
      machine: { cpu: 'Abacus', cores: 2, memoryGib: 8, load: 0.5, node: 'v24', v8: '13' },
      calibrationMs: { before: 60, after: 50 },
      fsyncMs: 0.5,
      findings: [
        {
          metrics: 100,
          connections: 10,
          samples: 400_000,
          seconds: 8,
          samplesPerSecond: 50_000,
          samplesPerCpuSecond: 62_500,
          commitsPerSecond: 12.34,
          bytesPerSample: 321.4,
          durableP50Ms: 20,
          durableP99Ms: 95,
          cpu: { main: 0.25, sqlite: 0.5, otherThreads: 0.05, senders: 0.1 },
          residentMib: 200,
        },
      ],
    });
    expect(text).toContain('Writing and syncing 4 KiB: 0.500 ms.');
    expect(text).toMatch(
      /^100 +10 +50000 +62500 +12\.3 +321 +20 ms +95 ms +0\.25 +0\.50 +0\.05 +0\.10 +200 MiB$/m,
    );
  });

  it('reads the CPU time of a thread whatever its name', () => {
    const fields = Array.from({ length: 50 }, (_, i) => String(i + 3));
    // utime and stime are fields 14 and 15.
    expect(parseThreadStat(`12 (a) b (c) ${fields.join(' ')}`)).toEqual({
      name: 'a) b (c',
      cpuSeconds: (14 + 15) / 100,
    });
  });
});
