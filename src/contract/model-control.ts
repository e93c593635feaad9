import { z } from 'zod';
import { modelPath, namedPath, nameProblems } from './fields.ts';
import { metric } from './metrics.ts';
import { interval, model, RESTARTS } from './model-details.ts';
import { operation } from './operation.ts';

/** Intervals of one request. */
const MAX_INTERVALS = 100;
const modelProblems = [...nameProblems, 'metric_not_monitored', 'overloaded'] as const;
const problems = [...modelProblems, 'invalid_request_body'] as const;

export const restartModel = operation({
  id: 'restartModel',
  method: 'POST',
  path: `${modelPath}/restart`,
  tag: 'models',
  summary: 'Lets a model begin again',
  params: namedPath,
  body: z.strictObject({
    how: z
      .enum(RESTARTS)
      .describe(
        '`retry`: a model in ERROR tries the same row again. `skip`: it goes on without that row, which gets no score. `relearn`: results go, a new generation learns from the lowest stored row.',
      ),
    without: z
      .array(interval)
      .max(MAX_INTERVALS)
      .optional()
      .describe(
        'Of `relearn`: the intervals that the new generation does not learn, nor takes its range from; those of the present one unless given.',
      ),
    generation: z
      .int()
      .min(1)
      .optional()
      .describe('Of `relearn`: only if this is the present generation, so that repeating does it once.'),
  }),
  answer: metric,
  problems: [...problems, 'metric_status_changed', 'checkpoint_lost'],
});

export const setLearning = operation({
  id: 'setLearning',
  method: 'PUT',
  path: `${modelPath}/learning`,
  tag: 'models',
  summary: 'Switches learning on or off, from the next row on',
  description: 'With learning off rows are scored by what was learned until then.',
  params: namedPath,
  body: z.strictObject({ on: z.boolean() }),
  answer: model,
  problems,
});

export const doNotLearn = operation({
  id: 'doNotLearn',
  method: 'POST',
  path: `${modelPath}/do-not-learn`,
  tag: 'models',
  summary: 'Leaves an interval unlearned: its rows are scored, and change nothing of the model',
  description:
    'Of rows that are still to come, or not processed yet. If any is learned already it is refused, or with `relearn` a new generation learns everything but this and what was left out before. Repeating changes nothing.',
  params: namedPath,
  body: z.strictObject({ ...interval.shape, relearn: z.boolean().default(false) }),
  answer: model,
  problems: [...problems, 'interval_learned'],
});

export const resetModel = operation({
  id: 'resetModel',
  method: 'POST',
  path: `${modelPath}/reset`,
  tag: 'models',
  summary: 'The next row begins a new sequence; what was learned stays',
  params: namedPath,
  answer: model,
  problems: modelProblems,
});
