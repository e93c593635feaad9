import { z } from 'zod';
import { meta, MIB, port, positive } from './fields.ts';

/** Settings of what is served over HTTP. */

export const api = z
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
  .describe('The HTTP interface.');

export const health = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .default('127.0.0.1')
      .describe('Address to serve them on: loopback alone unless changed.'),
    port: port
      .default(8081)
      .describe(
        'Port to serve them on; 0 takes any free one. The commands of one role have one each: `metric-listener` 8081, `metric-storer` 8082, `model-scheduler` 8083, `anomaly-service` 8084, `publisher` 8085, `retention` 8086.',
      ),
  })
  .prefault({})
  .describe('Health and metrics of a process that does not serve the HTTP interface, which has them too.');
