import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { InputOf, Operation } from '../contract/operation.ts';
import { HtmEngineError } from '../errors.ts';
import { bodyJson } from './input.ts';

/** Serves an operation that answers with JSON: what is given is checked, what the handler gives back is sent. */
export function route<O extends Operation>(
  app: FastifyInstance,
  operation: O,
  handle: (input: InputOf<O>) => Promise<z.input<NonNullable<O['answer']>>>,
): void {
  register(app, operation, async (request, reply) => {
    const answer = await handle(inputOf(operation, request));
    return reply.code(operation.status).send(answer);
  });
}

/** Serves an operation that does something and answers with nothing. */
export function silentRoute<O extends Operation & { readonly answer: z.ZodNull | null }>(
  app: FastifyInstance,
  operation: O,
  handle: (input: InputOf<O>) => Promise<void>,
): void {
  register(app, operation, async (request, reply) => {
    await handle(inputOf(operation, request));
    return reply.code(operation.status).send();
  });
}

/** Serves an operation whose body or answer is no plain JSON: the handler reads the one and sends the other. */
export function rawRoute<O extends Operation>(
  app: FastifyInstance,
  operation: O,
  handle: (input: InputOf<O>, request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>,
): void {
  register(app, operation, (request, reply) => handle(inputOf(operation, request), request, reply));
}

function register(
  app: FastifyInstance,
  { method, path, answerTypes }: Operation,
  handler: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>,
): void {
  const url = path.replaceAll(/\{(\w+)\}/g, ':$1');
  // HEAD of a stream would open one.
  app.route({ method, url, handler, exposeHeadRoute: answerTypes.length === 0 });
}

function inputOf<O extends Operation>(operation: O, request: FastifyRequest): InputOf<O> {
  const { params, query, body } = operation;
  return {
    params: parse(params, request.params, (error) => {
      const [issue] = error.issues;
      const code = issue?.path[0] === 'name' ? 'invalid_metric_name' : 'invalid_argument';
      return new HtmEngineError(code, `the path: ${told(error)}`);
    }),
    query: parse(
      query,
      request.query,
      (error) => new HtmEngineError('invalid_argument', `query parameter ${told(error)}`),
    ),
    body:
      body === null
        ? undefined
        : parse(
            body,
            bodyJson(request.body),
            (error) => new HtmEngineError('invalid_request_body', `the body: ${told(error)}`),
          ),
  } as InputOf<O>;
}

function parse(schema: z.ZodType, given: unknown, refusal: (error: z.ZodError) => HtmEngineError): unknown {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  throw refusal(result.error);
}

function told({ issues: [issue] }: z.ZodError): string {
  const path = issue?.path.join('.') ?? '';
  return path === '' ? (issue?.message ?? 'invalid') : `${path}: ${issue?.message ?? 'invalid'}`;
}
