import { z } from 'zod';
import { meta, positive } from './fields.ts';

/** Settings of what carries samples and wake-ups. */

export const bus = z
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
  .describe('What carries samples to the storer.');
