import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { isProblemCode, type problem, type ProblemCode, PROBLEMS } from '../contract/problems.ts';
import { HtmEngineError } from '../errors.ts';

const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';
/** When to try again what is refused for the moment. */
const RETRY_AFTER_SECONDS = 1;
/** Statuses that our HTTP library's own errors have, and our codes for them. */
const CODE_OF_STATUS: Readonly<Record<number, ProblemCode>> = {
  413: 'body_too_large',
  415: 'unsupported_media_type',
};

/** Errors of the connection, by Node's codes. */
const CODE_OF_FAULT: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** Answers what is no request, or did not come whole, and ends the connection. */
export function answerConnectionError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const code = CODE_OF_FAULT[error.code ?? ''] ?? 'invalid_request';
  const { status, title } = PROBLEMS[code];
  const body = problemText(code, title, {});
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** The HTTP status that says what an error's code says. */
export function httpStatus(error: unknown): number {
  return PROBLEMS[codeOf(error)].status;
}

/** Answers any error: a problem under /api, one line of text elsewhere. What is our own fault is logged and not told in detail. */
export function answerError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Logger,
): FastifyReply {
  const code = codeOf(error);
  const { status } = PROBLEMS[code];
  if (status === 500)
    log.error(
      { event: 'api.request_failed', method: request.method, url: request.url, err: error },
      'a request failed for a reason of ours',
    );
  const detail =
    status === 500
      ? 'internal error; the log has the details'
      : error instanceof Error
        ? error.message
        : String(error);
  reply.code(status);
  if (status === 503) reply.header('retry-after', String(RETRY_AFTER_SECONDS));
  if (error instanceof HtmEngineError && typeof error.details['allow'] === 'string') {
    reply.header('allow', error.details['allow']);
  }
  if (!request.url.startsWith('/api/')) return reply.type('text/plain; charset=utf-8').send(`${detail}\n`);
  const details = error instanceof HtmEngineError && status < 500 ? error.details : {};
  return reply.type(PROBLEM_TYPE).send(problemText(code, detail, details));
}

function problemText(code: ProblemCode, detail: string, details: HtmEngineError['details']): string {
  const { status, title } = PROBLEMS[code];
  const answer: z.input<typeof problem> = {
    type: `/docs#${code}`,
    title,
    status,
    detail,
    code,
    ...(Object.keys(details).length > 0 && { details: { ...details } }),
  };
  return JSON.stringify(answer);
}

function codeOf(error: unknown): ProblemCode {
  if (error instanceof HtmEngineError) return isProblemCode(error.code) ? error.code : 'internal';
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  if (typeof status !== 'number' || status < 400 || status >= 500) return 'internal';
  return CODE_OF_STATUS[status] ?? 'invalid_request';
}
