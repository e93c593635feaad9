/**
 * The built engine as a library in a process of its own, with a lasting consumer that writes what it gets to a file, a
 * result a line: `RESULTS_FILE`. Takes the arguments of `htmengine up` that the tests give, and greets like it.
 */
import { appendFileSync } from 'node:fs';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import type * as library from '../../src/index.ts';

const { Engine, loadConfig } = (await import(
  new URL('../../dist/index.js', import.meta.url).href
)) as typeof library;

const { values } = parseArgs({
  allowPositionals: true,
  options: {
    config: { type: 'string' },
    'data-dir': { type: 'string' },
    'http-port': { type: 'string' },
    port: { type: 'string' },
  },
});
const { config: file = '', ...flags } = values;
const results = process.env.RESULTS_FILE ?? '';
const engine = new Engine(
  loadConfig({
    file,
    flags: Object.fromEntries(Object.entries(flags).map(([flag, value]) => [`--${flag}`, value])),
  }),
);
const asked = once(process, 'SIGTERM');
await engine.start();
await engine.subscribe(
  (batch) => {
    // With the kernel when the cursor moves, so no end of the process loses it.
    appendFileSync(results, batch.map((result) => `${JSON.stringify(result)}\n`).join(''));
    return Promise.resolve();
  },
  { consumer: 'recorder' },
);
const { http, graphite } = engine.addresses;
process.stdout.write(
  `HTTP http://127.0.0.1:${String(http?.port)}\nGraphite 127.0.0.1:${String(graphite?.port)}\nTry:\n`,
);
await asked;
await engine.stop();
