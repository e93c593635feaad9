import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { describe, expect, it, vi } from 'vitest';
import type { Config } from '../config.ts';
import { HtmEngineError } from '../errors.ts';
import { Reloading, watchFiles } from './reloading.ts';
import { parseConfig } from './resolve.ts';

function start() {
  const registry = new Registry();
  const taken: Config[] = [];
  const reloading = new Reloading(parseConfig({}), { log: pino({ level: 'silent' }), registry });
  reloading.onChange((config) => {
    if (config.api.tokens === 'bad') throw new HtmEngineError('config_invalid', 'api.tokens');
    taken.push(config);
  });
  const counted = async (outcome: string) =>
    (await registry.getSingleMetric('htmengine_config_reloads_total')?.get())?.values.find(
      ({ labels }) => labels['outcome'] === outcome,
    )?.value;
  return { reloading, taken, counted };
}

describe('settings that are read again', () => {
  it('are taken where they can change, and told of where they need a restart', async () => {
    const { reloading, taken, counted } = start();
    expect(reloading.reload(() => parseConfig({}))).toEqual({ changed: [], needsRestart: [] });
    const other = parseConfig({ api: { maxRequestsPerMinute: 5, port: 1 } });
    expect(reloading.reload(() => other)).toEqual({
      changed: ['api.maxRequestsPerMinute'],
      needsRestart: ['api.port'],
    });
    // What is in force is not told again, what waits is.
    expect(reloading.reload(() => other)).toEqual({ changed: [], needsRestart: ['api.port'] });
    expect(taken.at(-1)?.api.maxRequestsPerMinute).toBe(5);
    expect([await counted('taken'), await counted('needs_restart')]).toEqual([1, 2]);
  });

  it('change nothing where any of them is wrong', async () => {
    const { reloading, taken, counted } = start();
    expect(reloading.reload(() => parseConfig({ api: { port: -1 } }))).toBeNull();
    expect(
      reloading.reload(() => parseConfig({ api: { tokens: 'bad', maxRequestsPerMinute: 5 } })),
    ).toBeNull();
    expect(taken).toEqual([]);
    expect(await counted('refused')).toBe(2);
    expect(reloading.reload(() => parseConfig({ api: { maxRequestsPerMinute: 5 } }))?.changed).toEqual([
      'api.maxRequestsPerMinute',
    ]);
  });
});

describe('watching files', () => {
  it('goes on, and tells, when one becomes a file that cannot be looked at', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'htmengine-watch-'));
    const file = join(directory, 'config.yaml');
    let changes = 0;
    const end = watchFiles([file], 5, () => (changes += 1));
    try {
      symlinkSync(file, file); // a loop
      await vi.waitFor(() => expect(changes).toBe(1));
      rmSync(file);
      await vi.waitFor(() => expect(changes).toBe(2));
    } finally {
      end();
      rmSync(directory, { recursive: true });
    }
  });
});
