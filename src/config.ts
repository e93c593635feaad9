import { availableParallelism, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';
import { DEFAULT_CEILING, DEFAULT_MINIMUM_ROWS } from './generation.ts';
import { memoryShare } from './memory-share.ts';

/**
 * Every setting with its type, bounds, default and meaning, in one place. Stages are given the parts they need as
 * plain objects; nothing else reads configuration (`config/` does: files, environment, flags).
 *
 * Each setting carries a description, from which docs/configuration.md and the help of the command line are made
 * (`npm run docs`). What else may be said of one:
 */
interface SettingMeta {
  readonly description: string;
  /** What the documents say of a default that differs from machine to machine. */
  readonly defaultText?: string;
  /** Taken over while the engine runs (SIGHUP, or the file has changed); all others need a restart. */
  readonly live?: boolean;
  /** Never printed: passwords, and addresses that hold them. */
  readonly secret?: boolean;
}

const meta = (given: SettingMeta) => ({ ...given });
const port = z.int().min(0).max(65_535);
const positive = z.int().min(1);
const MIB = 2 ** 20;
const DEFAULT_WORKERS = Math.max(1, availableParallelism() - 1);
const sweepMs = (what: string) =>
  positive.default(5_000).describe(`How often ${what} that a lost wake-up left behind.`);

const graphite = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Whether Graphite lines are listened for at all.'),
    host: z
      .string()
      .min(1)
      .default('127.0.0.1')
      .describe(
        'Address to listen on for samples: loopback alone unless changed; `::` takes every IPv4 and IPv6 address.',
      ),
    port: port.default(2003).describe('Port to listen on for samples, TCP and UDP; 0 takes any free one.'),
    protocol: z.enum(['plain']).default('plain').describe('What senders speak: plain is Graphite plaintext.'),
    transport: z
      .enum(['tcp', 'udp', 'both'])
      .default('both')
      .describe(
        'What senders may come over. UDP cannot hold a sender back: TCP is the one that loses nothing.',
      ),
    maxLineBytes: positive.max(65_536).default(4096).describe('A longer line is refused whole.'),
    maxConnections: positive
      .default(1024)
      .describe('TCP connections at the same time; one more is closed as soon as it is made.'),
    batchLines: positive
      .max(10_000)
      .default(200)
      .describe('Lines of a TCP connection that are sent on without waiting for a pause.'),
    pauseMs: z
      .int()
      .min(0)
      .default(5)
      .describe('A TCP connection that is silent this long has its lines sent on.'),
    maxBatchesInFlight: positive
      .max(1000)
      .default(4)
      .describe(
        'Batches of one TCP connection that may wait for the storer before its socket is not read any more; those that wait together are sent on together.',
      ),
    maxWaitingSamples: positive
      .max(1_000_000)
      .default(100_000)
      .describe(
        'Samples of all TCP connections together that may wait for the storer; each has its share of them if that is more than its batches.',
      ),
    maxDatagramBytes: positive
      .max(65_507)
      .default(65_507)
      .describe('A longer UDP datagram is refused whole.'),
    maxDatagramSamples: positive
      .max(1_000_000)
      .default(50_000)
      .describe(
        'Samples out of UDP datagrams that may wait for the storer; while there are as many, datagrams are dropped and counted.',
      ),
    receiveBufferBytes: positive
      .max(2 ** 30)
      .default(4 * MIB)
      .describe(
        'What the kernel is asked to keep of UDP datagrams that were not read yet; Linux gives no more than net.core.rmem_max.',
      ),
  })
  .prefault({})
  .describe('Graphite plaintext, over TCP and UDP.');

export const configSchema = z.strictObject({
  dataDirectory: z
    .string()
    .min(1)
    .default('htmengine-data')
    .transform((path) => resolve(path))
    .describe('Where the database, the saved models and the lock live.'),
  listener: z.strictObject({ graphite }).prefault({}).describe('Ways in for samples besides HTTP.'),
  bus: z
    .strictObject({
      url: z
        .string()
        .min(1)
        .default('memory')
        .meta(
          meta({
            description:
              'What samples and wake-ups go over: `memory` inside one process, or a RabbitMQ broker: `amqp://USER@HOST/VHOST`, or `amqps://...` with `?tlsCa=FILE&tlsCert=FILE&tlsKey=FILE` if need be. See docs/broker.md.',
            secret: true,
          }),
        ),
      passwordFile: z
        .string()
        .default('')
        .describe('File whose first line is the password for `bus.url`, which then needs none.'),
      application: z
        .string()
        .min(1)
        .default('htmengine')
        .describe(
          'Broker: what the names of its queues and exchanges begin with: 1-64 letters, digits, `_` or `-`. Processes that share the work have the same.',
        ),
      heartbeatSeconds: positive
        .max(600)
        .default(3)
        .describe(
          'Broker: a side that hears nothing of the other for two or three times as long takes it for gone.',
        ),
      prefetchMessages: positive
        .max(1000)
        .default(16)
        .describe('Broker: messages of one partition that a storer may have unacknowledged.'),
      customData: z
        .boolean()
        .default(true)
        .describe("Broker: take samples out of the original's queue, `APPLICATION.metric.custom.data`, too."),
      resultsExchange: z
        .boolean()
        .default(true)
        .describe("Broker: publish results to the original's exchange, `APPLICATION.model.results`."),
      maxSamples: positive
        .default(100_000)
        .describe(
          'Samples that wait in memory for the storer, or for the confirm of the broker, at the most; beyond that publishers wait.',
        ),
      maxBatchSamples: positive
        .max(100_000)
        .default(50_000)
        .describe(
          'Samples that are given to the storer together at the most: more cost less each, and make others wait longer.',
        ),
    })
    .prefault({})
    .describe('What carries samples to the storer.'),
  store: z
    .strictObject({
      url: z
        .string()
        .min(1)
        .default('sqlite')
        .meta(
          meta({
            description:
              'Where rows and scores are kept: `sqlite` is a file in the data directory. A database server: `mysql://USER@HOST/DATABASE` or `postgres://USER@HOST/DATABASE`, with `?tls=off|require|verify`, `tlsCa=FILE` and `socket=PATH` if need be.',
            secret: true,
          }),
        ),
      passwordFile: z
        .string()
        .default('')
        .describe('File whose first line is the password for `store.url`, which then needs none.'),
      maxConnections: positive
        .max(100)
        .default(8)
        .describe('Connections to the database server at the most.'),
      statementTimeoutMs: positive
        .max(600_000)
        .default(30_000)
        .describe('A statement on the database server, or its wait for a lock, is ended after this.'),
      busyTimeoutMs: z
        .int()
        .min(0)
        .max(60_000)
        .default(5_000)
        .describe('SQLite: how long a statement waits for a database that another program has locked.'),
    })
    .prefault({})
    .describe('The database.'),
  checkpoints: z
    .strictObject({
      keptIn: z
        .enum(['auto', 'files', 'database'])
        .default('auto')
        .describe(
          'Where saved models are kept: files in the data directory, or rows of the database. `auto` is files beside SQLite and rows on a database server.',
        ),
    })
    .prefault({})
    .describe('Saved models.'),
  ownership: z
    .strictObject({
      leaseMs: positive
        .min(1_000)
        .max(60_000)
        .default(5_000)
        .describe(
          'A process that has not said for so long that it lives loses its share of the work to the others. It says so five times as often.',
        ),
    })
    .prefault({})
    .describe('How several processes on one database server share the work.'),
  scheduler: z
    .strictObject({
      workers: positive
        .max(256)
        .default(DEFAULT_WORKERS)
        .meta(
          meta({
            description: 'Worker threads that run models.',
            defaultText: 'one per core less one',
          }),
        ),
      memoryBudgetBytes: positive
        .default(memoryShare(totalmem(), process.constrainedMemory(), DEFAULT_WORKERS))
        .meta(
          meta({
            description:
              'Bytes of models kept warm, over all workers. One model is always allowed. The process takes more: see operating.md.',
            defaultText: 'half of the memory of the machine or container, less if the rest would not fit',
          }),
        ),
      sliceRows: positive
        .max(10_000)
        .default(200)
        .describe('Rows a model may process before others get their turn.'),
      checkpointRows: positive
        .default(1000)
        .describe(
          'A model with so many unsaved rows is saved in any case; when fewer are is decided by what saving and replaying cost.',
        ),
      sweepMs: sweepMs('the store is asked for rows'),
    })
    .prefault({})
    .describe('Decides which models are in memory and runs them.'),
  anomaly: z
    .strictObject({
      sliceRows: positive
        .max(10_000)
        .default(1000)
        .describe('Rows of a metric that are worked on in one transaction.'),
      concurrency: positive.max(64).default(4).describe('Metrics worked on at the same time.'),
      sweepMs: sweepMs('the store is asked for raw scores'),
      spans: z
        .strictObject({
          opensAt: z
            .number()
            .min(0)
            .max(1)
            .default(0.5)
            .describe('Score (log-likelihood, 0 to 1) at which an anomalous span opens.'),
          holdsAt: z
            .number()
            .min(0)
            .max(1)
            .default(0.29)
            .describe(
              'Score that holds an open span: below 0.3, since the likelihood turns the later ones of a run of extreme rows into 0.29999999.',
            ),
          endingRows: positive
            .max(10_000)
            .default(12)
            .describe('Rows below that, one after the other, that end a span.'),
        })
        .prefault({})
        .describe(
          'Anomalous spans, from which incidents are made. A change holds for rows that are scored from then on.',
        ),
    })
    .prefault({})
    .describe('Turns raw scores into anomaly scores.'),
  incidents: z
    .strictObject({
      gapSeconds: z
        .int()
        .min(0)
        .max(604_800)
        .default(600)
        .describe('Anomalous spans, of any metrics, that lie so close in time are one incident.'),
    })
    .prefault({})
    .describe('Anomalous spans across metrics.'),
  publishing: z
    .strictObject({
      batchRows: positive
        .max(10_000)
        .default(500)
        .describe('Results that are delivered to a consumer together at the most.'),
      sweepMs: sweepMs('the store is asked for results'),
    })
    .prefault({})
    .describe('Delivers results.'),
  disk: z
    .strictObject({
      budgetBytes: z
        .int()
        .min(0)
        .default(0)
        .describe(
          'What the database and the saved models may take of this disk together; 0 for no budget. Beyond it the engine warns, and throws nothing away: retention is what makes room.',
        ),
      intervalSeconds: positive
        .max(86_400)
        .default(300)
        .describe('How often the engine looks at what it takes of the disk.'),
    })
    .prefault({})
    .describe('Watches the disk.'),
  retention: z
    .strictObject({
      maxAgeDays: z
        .number()
        .min(0)
        .max(24_000)
        .default(0)
        .describe(
          'Rows older than this are purged once nothing needs them any more; 0 keeps them for ever. A metric may have an age of its own (`htmengine retention set`).',
        ),
      cursorIdleDays: z
        .number()
        .positive()
        .max(24_000)
        .default(7)
        .describe(
          'A consumer that has kept rows from being purged for so long, at one place, has its cursor dropped.',
        ),
      intervalSeconds: positive
        .max(7 * 86_400)
        .default(3600)
        .describe('Pause between two passes over all metrics.'),
      batchRows: positive
        .max(10_000)
        .default(1000)
        .describe('Rows that are purged in one transaction at the most.'),
    })
    .prefault({})
    .describe('Purges old rows.'),
  monitoring: z
    .strictObject({
      auto: z.boolean().default(false).describe('Monitor every new metric by itself, without a range.'),
      minimumRows: positive
        .max(10_000)
        .default(DEFAULT_MINIMUM_ROWS)
        .describe('Rows needed before a range is estimated.'),
      variant: z
        .enum(['cpp', 'tm_cpp'])
        .default('cpp')
        .describe(
          'Temporal memory of new generations: the backtracking one, or the plain one, which costs less and finds less. Existing generations keep theirs.',
        ),
      ceiling: z
        .strictObject({
          enabled: z.boolean().default(true).describe('Whether there is a limit at all.'),
          maxSegments: positive
            .max(2 ** 24)
            .default(DEFAULT_CEILING.maxSegments)
            .describe('Segments of a model at the most.'),
          maxSynapses: positive
            .max(2 ** 27)
            .default(DEFAULT_CEILING.maxSynapses)
            .describe('Synapses of a model at the most.'),
        })
        .prefault({})
        .describe(
          'What the temporal memory of a new generation may hold. Existing generations keep theirs. A model beyond it forgets what it used longest ago, and from then on scores otherwise than the original.',
        ),
      sweepMs: sweepMs('metrics are looked for'),
    })
    .prefault({})
    .describe('How metrics get their models.'),
  collector: z
    .strictObject({
      host: z
        .boolean()
        .default(false)
        .describe("Feed this machine's own CPU, load, memory, disk and network in."),
      intervalSeconds: positive.max(3600).default(5).describe('How often this machine is looked at.'),
      demo: z
        .boolean()
        .default(false)
        .describe('Make a few metrics to look at, `demo.*`, and go on feeding them.'),
    })
    .prefault({})
    .describe('Metrics that the engine collects itself.'),
  api: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Whether HTTP is served at all.'),
      host: z
        .string()
        .min(1)
        .default('127.0.0.1')
        .describe('Address to serve HTTP on: loopback alone unless changed.'),
      port: port.default(8080).describe('Port to serve HTTP on; 0 takes any free one.'),
      maxBodyBytes: positive.default(2 * MIB).describe('A longer request body is refused.'),
      maxUnpackedBytes: positive
        .default(8 * MIB)
        .describe('A body that comes compressed is refused if it is longer than this when unpacked.'),
      maxConnections: positive
        .default(256)
        .describe(
          'HTTP connections at the same time; times `api.maxBodyBytes`, what bodies may take in memory.',
        ),
      requestTimeoutMs: positive
        .max(3_600_000)
        .default(60_000)
        .describe('A client that has not sent its whole request in this time is cut off.'),
      maxRequestsPerMinute: z
        .int()
        .min(0)
        .default(60_000)
        .meta(
          meta({
            description: 'Requests of one token or, without token, one address; 0 is no limit.',
            live: true,
          }),
        ),
      basePath: z
        .string()
        .default('')
        .describe('Path under which a proxy shows the engine, for instance `/htm`.'),
      tokens: z
        .string()
        .default('')
        .meta(
          meta({
            description:
              'Who may use HTTP: `read NAME TOKEN` or `write NAME TOKEN`, parted by `;`. With any, every request needs one; needed beyond loopback.',
            secret: true,
            live: true,
          }),
        ),
      tokensFile: z
        .string()
        .default('')
        .meta(
          meta({
            description:
              'File of such entries, a line each. `sha256:HASH` may stand for a token, so that the file holds none.',
            live: true,
          }),
        ),
      insecure: z
        .boolean()
        .default(false)
        .describe('Serve HTTP beyond loopback although there are no tokens: to everybody who gets there.'),
      allowedHosts: z
        .string()
        .default('')
        .describe(
          'Names, besides those of loopback, under which an engine without tokens may be asked, parted by commas.',
        ),
      allowedOrigins: z
        .string()
        .default('')
        .describe(
          'Origins whose pages may use the interface from a browser (CORS), such as `https://example.org`, parted by commas.',
        ),
      tlsCertFile: z
        .string()
        .default('')
        .describe('Certificate (PEM): with it HTTP is served over TLS. Taken anew when the file changes.'),
      tlsKeyFile: z.string().default('').describe('Private key (PEM) of the certificate.'),
      recentMetrics: positive
        .max(1_000_000)
        .default(20_000)
        .describe('Metrics whose newest scores are kept in memory for lists, about 1 kB each.'),
      streams: z
        .strictObject({
          max: positive.max(10_000).default(100).describe('Streams open at the same time.'),
          ringResults: positive
            .max(1_000_000)
            .default(10_000)
            .describe('Results of all metrics that are kept for streams that come back.'),
          heartbeatMs: positive
            .max(3_600_000)
            .default(15_000)
            .describe('A stream that has nothing to say for so long says that it lives.'),
          stallMs: positive
            .max(3_600_000)
            .default(45_000)
            .describe('A client that takes nothing for so long is dropped; longer than the heartbeat.'),
        })
        .prefault({})
        .describe('Live results (`GET /api/v1/results`).'),
    })
    .prefault({})
    .describe('The HTTP interface.'),
  health: z
    .strictObject({
      host: z
        .string()
        .min(1)
        .default('127.0.0.1')
        .describe('Address to serve them on: loopback alone unless changed.'),
      port: port.default(8081).describe('Port to serve them on; 0 takes any free one.'),
    })
    .prefault({})
    .describe('Health and metrics of a process that does not serve the HTTP interface, which has them too.'),
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
