import { resolve } from 'node:path';
import { z } from 'zod';
import { bus } from './config/schema/bus.ts';
import { api, health } from './config/schema/http.ts';
import { checkpoints, disk, retention, store } from './config/schema/keeping.ts';
import { anomaly, incidents, monitoring, ownership, publishing, scheduler } from './config/schema/scoring.ts';
import { collector, listener } from './config/schema/ways-in.ts';

/**
 * Every setting with its type, bounds, default and meaning: what the whole consists of and in which order the documents
 * tell of it; the sections are in `config/schema/`. Stages are given the parts they need as plain objects; nothing else
 * reads configuration (`config/` does: files, environment, flags).
 */
export const configSchema = z.strictObject({
  dataDirectory: z
    .string()
    .min(1)
    .default('htmengine-data')
    .transform((path) => resolve(path))
    .describe('Where the database, the saved models and the lock live.'),
  listener,
  bus,
  store,
  checkpoints,
  ownership,
  scheduler,
  anomaly,
  incidents,
  publishing,
  disk,
  retention,
  monitoring,
  collector,
  api,
  health,
  log: z
    .strictObject({
      level: z
        .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
        .default('info')
        .describe('What is logged to standard error: this and what is more serious.'),
    })
    .prefault({})
    .describe('The log, one line of JSON an event.'),
});

/** All settings, complete and checked. */
export type Config = z.output<typeof configSchema>;
/** Settings as a user gives them: anything may be left out. */
export type ConfigInput = z.input<typeof configSchema>;
