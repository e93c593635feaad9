import { totalmem } from 'node:os';
import { z } from 'zod';
import { DEFAULT_CEILING, DEFAULT_MINIMUM_ROWS } from '../../generation.ts';
import { memoryShare } from '../../memory-share.ts';
import { DEFAULT_WORKERS, meta, positive, sweepMs } from './fields.ts';

/** Settings of what makes scores of rows and hands them on. */

export const ownership = z
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
  .describe('How several processes on one database server share the work.');

export const scheduler = z
  .strictObject({
    workers: positive
      .max(256)
      .default(DEFAULT_WORKERS)
      .meta(
        meta({
          description: 'Worker threads that run models.',
          defaultText: 'one per core less one; two of two cores',
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
    maxGatherMs: z
      .int()
      .min(0)
      .max(60_000)
      .default(3_000)
      .describe(
        'While memory is short and much time goes into loading models, a sample may wait so long for the next ones of its metric, so that loading its model serves several; 0: never.',
      ),
    sweepMs: sweepMs('the store is asked for rows'),
  })
  .prefault({})
  .describe('Decides which models are in memory and runs them.');

export const anomaly = z
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
  .describe('Turns raw scores into anomaly scores.');

export const incidents = z
  .strictObject({
    gapSeconds: z
      .int()
      .min(0)
      .max(604_800)
      .default(600)
      .describe('Anomalous spans, of any metrics, that lie so close in time are one incident.'),
  })
  .prefault({})
  .describe('Anomalous spans across metrics.');

export const publishing = z
  .strictObject({
    batchRows: positive
      .max(10_000)
      .default(500)
      .describe('Results that are delivered to a consumer together at the most.'),
    sweepMs: sweepMs('the store is asked for results'),
  })
  .prefault({})
  .describe('Delivers results.');

export const monitoring = z
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
  .describe('How metrics get their models.');
