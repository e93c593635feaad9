import { z } from 'zod';
import { metricName, modelPath, namedPath, nameProblems, timestamp, uid, wholeSeconds } from './fields.ts';
import { learning, metricState } from './metrics.ts';
import { operation } from './operation.ts';

export const RESTARTS = ['retry', 'skip', 'relearn'] as const;

/** Both ends inclusive. */
export const interval = z
  .strictObject({ from: wholeSeconds, to: wholeSeconds.describe('Not before `from`.') })
  .meta({ id: 'Interval', description: 'A stretch of time, both ends inclusive; epoch seconds.' });

const command = z
  .object({
    sequence: z.int(),
    afterRowid: z.int().describe('It takes effect after this row.'),
    what: z.enum(['learning', 'reset', 'skip', 'doNotLearn']),
    on: z.boolean().optional().describe('Of `learning`.'),
    from: timestamp.optional().describe('Of `doNotLearn`, as `to`.'),
    to: timestamp.optional(),
  })
  .meta({ id: 'ModelCommand', description: 'What the present generation was told.' });

const constants = z.object({
  learningPeriod: z.int(),
  estimationSamples: z.int(),
  historicWindowSize: z.int(),
  reestimationPeriod: z.int(),
  averagingWindow: z.int(),
  tail: z.enum(['one-sided', 'two-sided']),
});

const distribution = z
  .object({
    mean: z.number(),
    standardDeviation: z.number(),
    averageScore: z.number().describe('The moving average that is held against them.'),
    recentScores: z.array(z.number()).describe('The raw scores that it is the average of, oldest first.'),
  })
  .nullable()
  .describe('The normal distribution of averaged raw scores; null before the first fit.');

const failure = z
  .object({
    reason: z
      .enum(['row', 'checkpoint_lost', 'unknown_revision', 'not_built', 'other'])
      .describe(
        '`row`: it failed at a row. `checkpoint_lost`: neither a saved model nor the rows to compute it from.',
      ),
    message: z.string(),
    row: z
      .object({ rowid: z.int(), timestamp, value: z.number() })
      .nullable()
      .describe('The row it failed at, as far as it is known and stored.'),
  })
  .nullable()
  .describe('Why the metric is in ERROR; null if it is not.');

const cost = z
  .object({
    warm: z.boolean().describe('Whether it is loaded now.'),
    bytes: z.int().describe('Memory.'),
    loadMs: z.number().describe('CPU time: to load or build it.'),
    rowMs: z.number().nullable().describe('CPU time of a row.'),
    saveMs: z.number().nullable().describe('CPU time to pack it for a checkpoint.'),
  })
  .nullable()
  .describe('What the model took when it ran last; null where this process has not run it.');

/** A model as `getModel` tells of it. */
export const model = z
  .object({
    name: metricName,
    uid,
    state: metricState,
    message: z.string().nullable().describe('Why the metric is in ERROR.'),
    failure,
    restarts: z.array(z.enum(RESTARTS)).describe('What `restart` would do now.'),
    generation: z.int(),
    variant: z.string().nullable().describe('Temporal memory.'),
    range: z.object({ min: z.number(), max: z.number() }).nullable(),
    resolution: z.number().nullable(),
    rows: z.int().describe('Stored rows.'),
    startRowid: z.int().nullable(),
    processedRowid: z.int().nullable().describe('The last row the model has seen.'),
    scoredRowid: z.int().nullable(),
    backlogRowid: z.int().describe('Rows up to it were stored before monitoring began.'),
    learning,
    learns: z.boolean().describe('Whether the next row is learned, unless its time is left out.'),
    leftOut: z.array(interval).describe('Times whose rows are scored and not learned.'),
    commands: z.array(command).describe('All that was told it, in that order.'),
    algorithmRevision: z.int(),
    likelihood: constants.describe('Constants of the likelihood, frozen with the generation; in rows.'),
    distribution,
    cost,
    diskBytes: z.object({ rows: z.int().describe('An estimate.'), checkpoints: z.int() }),
    checkpoints: z.array(z.object({ rowid: z.int() })).describe('Saved models, newest first.'),
    parameters: z.unknown().describe('Complete model parameters.'),
    spec: z.unknown().describe('What was asked for.'),
  })
  .meta({ id: 'Model', description: 'What the generation does not know before it opens is null.' });

export const getModel = operation({
  id: 'getModel',
  method: 'GET',
  path: modelPath,
  tag: 'models',
  summary: 'Tells of the model of a metric',
  params: namedPath,
  answer: model,
  problems: [...nameProblems, 'metric_not_monitored'],
});

export const getLikelihood = operation({
  id: 'getLikelihood',
  method: 'GET',
  path: `${modelPath}/likelihood`,
  tag: 'models',
  summary: 'How the raw scores of a metric are distributed, and what the next is held against',
  description:
    'The histogram is of the averaged raw scores of the rows that the next fit would look back over, those of the learning period aside.',
  params: namedPath,
  answer: z.object({
    name: metricName,
    uid,
    generation: z.int(),
    learning,
    constants: constants.describe('In rows.'),
    distribution,
    histogram: z.object({
      binWidth: z.number(),
      counts: z.array(z.int()).describe('From 0 to 1.'),
    }),
  }),
  problems: [...nameProblems, 'metric_not_monitored'],
});
