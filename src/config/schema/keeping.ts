import { z } from 'zod';
import { meta, positive } from './fields.ts';

/** Settings of what keeps rows and models, and for how long. */

export const store = z
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
    maxConnections: positive.max(100).default(8).describe('Connections to the database server at the most.'),
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
  .describe('The database.');

export const checkpoints = z
  .strictObject({
    keptIn: z
      .enum(['auto', 'files', 'database', 's3'])
      .default('auto')
      .describe(
        'Where saved models are kept: files in the data directory, rows of the database, or objects of S3. `auto` is files beside SQLite and rows on a database server.',
      ),
    s3: z
      .strictObject({
        bucket: z.string().default('').describe('The bucket, which must be there.'),
        prefix: z
          .string()
          .refine((text) => text === '' || text.endsWith('/'), 'it must end in /')
          .default('htmengine/')
          .describe('What the keys of this installation begin with; no other may use it.'),
        endpoint: z.string().default('').describe("URL of storage that speaks S3; empty for Amazon's."),
        region: z.string().min(1).default('us-east-1').describe('Region of the bucket.'),
        accessKeyId: z
          .string()
          .default('')
          .describe(
            "Empty: the client looks for credentials as Amazon's tools do (AWS_ACCESS_KEY_ID, shared files, the machine's role).",
          ),
        secretAccessKeyFile: z
          .string()
          .default('')
          .describe('File whose first line is the secret of `accessKeyId`.'),
      })
      .prefault({})
      .describe('`keptIn: s3`: needs the package `@aws-sdk/client-s3`, which is not installed by itself.'),
  })
  .prefault({})
  .describe('Saved models.');

export const disk = z
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
  .describe('Watches the disk.');

export const retention = z
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
  .describe('Purges old rows.');
