import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';
import { HtmEngineError } from './errors.ts';
import { DEFAULT_CEILING, DEFAULT_MINIMUM_ROWS } from './generation.ts';

/**
 * Every setting with its type, bounds and default, in one place. Stages are given the parts they need as plain
 * objects; nothing else reads configuration.
 */
const port = z.int().min(0).max(65_535);
const positive = z.int().min(1);
const MIB = 2 ** 20;

const configSchema = z.strictObject({
  /** Where the database, the checkpoints and the lock live. */
  dataDirectory: z
    .string()
    .min(1)
    .default('htmengine-data')
    .transform((path) => resolve(path)),
  listener: z
    .strictObject({
      graphite: z
        .strictObject({
          enabled: z.boolean().default(true),
          host: z.string().default('127.0.0.1'),
          /** 0 takes any free port. */
          port: port.default(2003),
          /** A longer line is refused whole. */
          maxLineBytes: positive.max(65_536).default(4096),
          maxConnections: positive.default(1024),
          /** Lines that make a batch. */
          batchLines: positive.max(10_000).default(200),
          /** A connection that is silent this long has its lines sent on. */
          pauseMs: z.int().min(0).default(5),
          /** Batches of one connection that may wait for the bus before its socket is paused; those that wait together are sent on together. */
          maxBatchesInFlight: positive.max(1000).default(4),
        })
        .prefault({}),
    })
    .prefault({}),
  bus: z
    .strictObject({
      /** Samples that wait in memory for the storer at the most; beyond that publishers wait. */
      maxSamples: positive.default(50_000),
      /** Samples that are given to the storer together at the most. */
      maxBatchSamples: positive.max(100_000).default(10_000),
    })
    .prefault({}),
  store: z
    .strictObject({
      /** How long a statement waits for a database that another program has locked. */
      busyTimeoutMs: z.int().min(0).max(60_000).default(5_000),
    })
    .prefault({}),
  scheduler: z
    .strictObject({
      /** Worker threads that run models. */
      workers: positive.max(256).default(Math.max(1, availableParallelism() - 1)),
      /** Bytes of models kept warm, over all workers. One model is always allowed. */
      memoryBudgetBytes: positive.default(512 * MIB),
      /** Rows a model may process before others get their turn. */
      sliceRows: positive.max(10_000).default(200),
      /** Rows after which a warm model is saved. */
      checkpointRows: positive.default(1000),
      /** How often the store is asked for work that a lost wake-up left behind. */
      sweepMs: positive.default(5_000),
    })
    .prefault({}),
  anomaly: z
    .strictObject({
      sliceRows: positive.max(10_000).default(1000),
      /** Metrics worked on at the same time. */
      concurrency: positive.max(64).default(4),
      sweepMs: positive.default(5_000),
    })
    .prefault({}),
  publishing: z
    .strictObject({
      batchRows: positive.max(10_000).default(500),
      sweepMs: positive.default(5_000),
    })
    .prefault({}),
  monitoring: z
    .strictObject({
      /** Monitor every new metric by itself, without a range. */
      auto: z.boolean().default(false),
      /** Rows needed before a range is estimated. */
      minimumRows: positive.max(10_000).default(DEFAULT_MINIMUM_ROWS),
      /** Temporal memory of new generations: the backtracking one, or the plain one, which costs less and finds less. Existing generations keep theirs. */
      variant: z.enum(['cpp', 'tm_cpp']).default('cpp'),
      /**
       * The most that the temporal memory of a new generation may hold; null for no limit. Existing generations keep
       * theirs. A model beyond it forgets what it used longest ago, and from then on scores otherwise than the original.
       */
      ceiling: z
        .strictObject({
          maxSegments: positive.max(2 ** 24).default(DEFAULT_CEILING.maxSegments),
          maxSynapses: positive.max(2 ** 27).default(DEFAULT_CEILING.maxSynapses),
        })
        .nullable()
        .prefault({}),
      sweepMs: positive.default(5_000),
    })
    .prefault({}),
  collector: z
    .strictObject({
      /** Feed this machine's own CPU, load, memory, disk and network in. */
      host: z.boolean().default(false),
      intervalSeconds: positive.max(3600).default(5),
    })
    .prefault({}),
  api: z
    .strictObject({
      enabled: z.boolean().default(true),
      host: z.string().default('127.0.0.1'),
      port: port.default(8080),
      maxBodyBytes: positive.default(2 * MIB),
      /** Times `maxBodyBytes`, what bodies may take in memory. */
      maxConnections: positive.default(256),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
    })
    .prefault({}),
});

/** All settings, complete and checked. */
export type Config = z.output<typeof configSchema>;
/** Settings as a user gives them: anything may be left out. */
export type ConfigInput = z.input<typeof configSchema>;

/**
 * Settings with defaults filled in.
 * @param source what to name in an error: the file the settings come from, for instance
 * @throws HtmEngineError `config_invalid` naming source, path and rule
 */
export function parseConfig(settings: unknown, source: string): Config {
  const result = configSchema.safeParse(settings);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  throw new HtmEngineError('config_invalid', `${source}: ${path}${issue?.message ?? 'invalid'}`);
}
