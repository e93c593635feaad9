import { z } from 'zod';
import type { ProblemCode } from './problems.ts';

/**
 * One request that the HTTP interface takes, described once: what is given is checked by these schemas, the OpenAPI
 * document is made from them, and the client has its types from them.
 */
export interface Operation<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Answer extends z.ZodType = z.ZodType,
> {
  /** Unique; `operationId` in the OpenAPI document. */
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** From the base path on, `{name}` for what is given in it. */
  readonly path: string;
  readonly tag: Tag;
  /** What it does, in a few words. */
  readonly summary: string;
  readonly description: string | null;
  readonly params: Params;
  readonly query: Query;
  /** The JSON body; null where there is none, or it is one of `bodies`. */
  readonly body: Body | null;
  /** Bodies by media type that the route reads itself. */
  readonly bodies: Readonly<Record<string, z.ZodType>>;
  /** Status of success. */
  readonly status: 200 | 201 | 202 | 204;
  /** The JSON answer; null where there is none, or it is of `answerTypes`. */
  readonly answer: Answer | null;
  /** Media types of an answer that is not plain JSON. */
  readonly answerTypes: readonly string[];
  /** What may go wrong beside what may go wrong everywhere. */
  readonly problems: readonly ProblemCode[];
}

export const TAGS = {
  metrics: 'Metrics and their rows',
  models: 'What is done to the model of a metric',
  incidents: 'What is anomalous across metrics, and what people say of it',
  samples: 'Samples in, live results out',
  engine: 'The engine itself',
} as const;
export type Tag = keyof typeof TAGS;

const nothing = z.strictObject({});
type Nothing = typeof nothing;

type Required = 'id' | 'method' | 'path' | 'tag' | 'summary';
type Given<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, A extends z.ZodType> = Pick<
  Operation<P, Q, B, A>,
  Required
> &
  Partial<Operation<P, Q, B, A>>;

/** An operation, with nothing where nothing is said. */
export function operation<
  P extends z.ZodType = Nothing,
  Q extends z.ZodType = Nothing,
  B extends z.ZodType = Nothing,
  A extends z.ZodType = z.ZodNull,
>(given: Given<P, Q, B, A>): Operation<P, Q, B, A> {
  return {
    description: null,
    // What is not given has the default type, which is that of `nothing`.
    params: nothing as unknown as P,
    query: nothing as unknown as Q,
    body: null,
    bodies: {},
    status: 200,
    answer: null,
    answerTypes: [],
    problems: [],
    ...given,
  };
}

/** What a handler of the operation is given, checked. */
export interface InputOf<O extends Operation> {
  readonly params: z.output<O['params']>;
  readonly query: z.output<O['query']>;
  readonly body: z.output<NonNullable<O['body']>>;
}

/** What a client gives; whatever is missing has its default. */
export type QueryOf<O extends Operation> = Partial<z.output<O['query']>>;
export type BodyOf<O extends Operation> = z.input<NonNullable<O['body']>>;
/** What the operation answers with. */
export type AnswerOf<O extends Operation> = z.output<NonNullable<O['answer']>>;
