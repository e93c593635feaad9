import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { HtmEngineError, type ErrorCode } from '../errors.ts';

const STATUS_OF: Partial<Record<ErrorCode, number>> = {
  metric_not_found: 404,
  metric_already_exists: 409,
  metric_already_monitored: 409,
  metric_not_monitored: 409,
  metric_status_changed: 409,
  statistics_not_ready: 409,
  reserved_name: 409,
  invalid_metric_name: 400,
  invalid_range: 400,
  invalid_argument: 400,
  invalid_request_body: 400,
  foreign_origin: 403,
  body_too_large: 413,
  unsupported_media_type: 415,
  span_not_found: 404,
  not_silenced: 404,
  store_unavailable: 503,
  overloaded: 503,
  stopped: 503,
};

/** The HTTP status that says what an error's code says. */
export function httpStatus(error: unknown): number {
  if (error instanceof HtmEngineError) return STATUS_OF[error.code] ?? 500;
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
}

/** Answers any error: JSON under /api, one line of text elsewhere. What is our own fault is logged and not told in detail. */
export function answerError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Logger,
): FastifyReply {
  const status = httpStatus(error);
  if (status === 500)
    log.error(
      { event: 'api.request_failed', method: request.method, url: request.url, err: error },
      'a request failed for a reason of ours',
    );
  const code = error instanceof HtmEngineError ? error.code : status === 500 ? 'internal' : 'invalid_request';
  const message = status === 500 ? 'internal error; the log has the details' : messageOf(error);
  reply.code(status);
  if (status === 503) reply.header('retry-after', '1');
  if (request.url.startsWith('/api/')) return reply.send({ code, message });
  return reply.type('text/plain; charset=utf-8').send(`${message}\n`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
