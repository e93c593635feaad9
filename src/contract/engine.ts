import { z } from 'zod';
import { STAGES } from '../store/leases.ts';
import { operation } from './operation.ts';

export const getStatus = operation({
  id: 'getStatus',
  method: 'GET',
  path: '/api/v1/status',
  tag: 'engine',
  summary: 'How the engine is, at a glance',
  answer: z.object({
    version: z.string(),
    startedAt: z.iso.datetime(),
    metrics: z.record(z.string(), z.int()).describe('Metrics by state.'),
    rows: z.int(),
    unprocessedRows: z.int().describe('Rows that models have before them.'),
    ready: z.boolean().describe('Whether what is sent can be kept.'),
    leases: z
      .array(
        z.object({
          stage: z.enum(STAGES),
          owner: z.string().nullable().describe('A process; null: nobody has these.'),
          alive: z.boolean().describe('Whether it is heard of.'),
          partitions: z.int(),
        }),
      )
      .describe('Who works on how many partitions where several processes share the work; else empty.'),
  }),
});

export const getDocument = operation({
  id: 'getDocument',
  method: 'GET',
  path: '/api/v1/openapi.json',
  tag: 'engine',
  summary: 'This description, as an OpenAPI 3.1 document',
  answer: z.looseObject({ openapi: z.string(), paths: z.record(z.string(), z.unknown()) }),
});
