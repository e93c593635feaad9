import { describe, expect, it } from 'vitest';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { RefusalCounter } from './refusals.ts';

function setUp() {
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    { level: 'info' },
    { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  const registry = new Registry();
  const clock = { nowMs: 0 };
  const refusals = new RefusalCounter({ log, registry }, () => clock.nowMs);
  const total = async (reason: string) => {
    const values = (await registry.getSingleMetric('htmengine_refused_samples_total')?.get())?.values ?? [];
    return values.find(({ labels }) => labels['reason'] === reason)?.value;
  };
  return { refusals, lines, clock, total };
}

describe('RefusalCounter', () => {
  it('counts by reason, from 0', async () => {
    const { refusals, total } = setUp();
    expect(await total('older')).toBe(0);
    refusals.count('older');
    refusals.count('older', 4);
    refusals.count('duplicate');
    expect(await total('older')).toBe(5);
    expect(await total('duplicate')).toBe(1);
  });

  it('logs reason, number, rule and a shortened example', () => {
    const { refusals, lines } = setUp();
    refusals.count('malformed', 3, `some text ${'x'.repeat(10_000)}`);
    expect(lines).toMatchObject([
      { reason: 'malformed', count: 3, example: `some text ${'x'.repeat(70)}...` },
    ]);
    expect(lines[0]?.['msg']).toContain('name value timestamp');
  });

  it('escapes everything a terminal could take for a command', () => {
    const { refusals, lines } = setUp();
    refusals.count('malformed', 1, 'a\u001b[2Jb\u009bc\u202ed\ne é 東京');
    expect(lines[0]?.['example']).toBe('a\\u{1b}[2Jb\\u{9b}c\\u{202e}d\\u{a}e é 東京');
  });

  it('does not cut a character in two', () => {
    const { refusals, lines } = setUp();
    refusals.count('malformed', 1, '😀'.repeat(100));
    expect(lines[0]?.['example']).toBe(`${'😀'.repeat(80)}...`);
  });

  it('logs a bounded number of lines per interval and says later how many it left out', async () => {
    const { refusals, lines, clock, total } = setUp();
    for (let i = 0; i < 1000; i++) refusals.count('malformed', 1, `line ${i}`);
    expect(lines).toHaveLength(5);
    refusals.count('not_utf8');
    expect(lines).toHaveLength(6);
    clock.nowMs = 60_000;
    refusals.count('malformed', 1, 'again');
    expect(lines[6]).toMatchObject({ example: 'again', count: 996 });
    expect(await total('malformed')).toBe(1001);
  });
});
