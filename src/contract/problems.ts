import { z } from 'zod';
import type { ErrorCode } from '../errors.ts';

/** How an error is told over HTTP. */
interface Problem {
  readonly status: number;
  /** The same for every error of the code. */
  readonly title: string;
}

/** What only HTTP itself knows. */
type HttpProblem = 'internal' | 'invalid_request' | 'request_timeout' | 'headers_too_large';

/** Codes that can be answers, with their status (RFC 9457). Every other error is `internal`: a fault of ours. */
export const PROBLEMS = {
  metric_not_found: { status: 404, title: 'There is no such metric' },
  metric_already_exists: { status: 409, title: 'The metric exists already' },
  metric_already_monitored: { status: 409, title: 'The metric is monitored already' },
  metric_not_monitored: { status: 409, title: 'The metric is not monitored' },
  metric_status_changed: { status: 409, title: 'The state of the metric does not allow it' },
  interval_learned: { status: 409, title: 'Rows of the interval are learned already' },
  rows_needed: { status: 409, title: 'The rows are still needed' },
  checkpoint_lost: { status: 409, title: 'Nothing is left that the model could be computed from' },
  datasource_not_found: { status: 404, title: 'There is no such datasource' },
  not_supported: { status: 409, title: 'The datasource cannot do that' },
  statistics_not_ready: { status: 409, title: 'There are no rows to estimate a range from' },
  reserved_name: { status: 409, title: "The path is one of the engine's own" },
  invalid_metric_name: { status: 400, title: 'That is no name for a metric' },
  invalid_range: { status: 400, title: 'That is no range' },
  invalid_argument: { status: 400, title: 'A parameter breaks its rule' },
  invalid_request_body: { status: 400, title: 'The body is not what the operation takes' },
  invalid_request: { status: 400, title: 'The request is not valid HTTP' },
  unauthorized: { status: 401, title: 'A token is needed' },
  forbidden: { status: 403, title: 'The token does not allow it' },
  wrong_host: { status: 421, title: "The name that was asked for is not the engine's" },
  foreign_origin: { status: 403, title: 'A page of another site may not do this' },
  unknown_route: { status: 404, title: 'There is no such path' },
  method_not_allowed: { status: 405, title: 'The path does not take this method' },
  request_timeout: { status: 408, title: 'The request took too long to come' },
  headers_too_large: { status: 431, title: 'Address and headers are too long' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The type or encoding of the body is not one that is taken' },
  too_many_requests: { status: 429, title: 'Too many requests: wait as long as Retry-After says' },
  span_not_found: { status: 404, title: 'There is no such span' },
  not_silenced: { status: 404, title: 'It is neither muted nor called usual' },
  store_unavailable: { status: 503, title: 'The database does not answer at present' },
  overloaded: { status: 503, title: 'A bound is reached' },
  stopped: { status: 503, title: 'The engine is stopping' },
  internal: { status: 500, title: 'The engine failed' },
} as const satisfies Partial<Record<ErrorCode | HttpProblem, Problem>>;

export type ProblemCode = keyof typeof PROBLEMS;

/** What may go wrong with every request. */
export const PROBLEMS_EVERYWHERE: readonly ProblemCode[] = [
  'unauthorized',
  'forbidden',
  'foreign_origin',
  'wrong_host',
  'too_many_requests',
  'invalid_argument',
  'invalid_request',
  'request_timeout',
  'headers_too_large',
  'store_unavailable',
  'stopped',
];

export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEMS, code);
}

export const problem = z
  .object({
    type: z.string().describe('Where the code is explained, relative to the address of the request.'),
    title: z.string().describe('The same for every problem of the code.'),
    status: z.int().describe('The HTTP status.'),
    detail: z.string().describe('Names the input, the rule and the fix.'),
    code: z.string().describe('Stable, for programs.'),
    details: z
      .record(z.string(), z.union([z.string(), z.number(), z.null()]))
      .optional()
      .describe(
        'What a program needs beside the code, such as `metricId` of the metric that is there already.',
      ),
  })
  .meta({ id: 'Problem', description: 'What went wrong (RFC 9457).' });
