import { z } from 'zod';
import { type Operation, TAGS } from '../contract/operation.ts';
import { OPERATIONS } from '../contract/operations.ts';
import { problem, type ProblemCode, PROBLEMS, PROBLEMS_EVERYWHERE } from '../contract/problems.ts';

type Json = Readonly<Record<string, unknown>>;

/** What of an OpenAPI 3.1 document is made here. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Json>> };
}

export interface OpenApiOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters: readonly OpenApiParameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
}

export interface OpenApiParameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: Json;
}

type Content = Readonly<Record<string, { readonly schema: Json }>>;

/** The OpenAPI 3.1 document of all operations. */
export function openApiDocument(version: string): OpenApiDocument {
  const schemas = new Schemas();
  const paths: Record<string, Record<string, OpenApiOperation>> = {};
  for (const operation of OPERATIONS) {
    (paths[operation.path] ??= {})[operation.method.toLowerCase()] = describe(operation, schemas);
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'HTM Engine',
      version,
      description: 'Finds what is unusual in metrics. Errors are problems (RFC 9457) with stable codes.',
    },
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: { schemas: schemas.named },
  };
}

function describe(operation: Operation, schemas: Schemas): OpenApiOperation {
  const { id, tag, summary, description, params, query } = operation;
  const content = requestContent(operation, schemas);
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== null && { description }),
    parameters: [
      ...parameters('path', schemas.of(params, 'input')),
      ...parameters('query', schemas.of(query, 'input')),
    ],
    ...(content !== null && {
      requestBody: { required: !takesNoBody(operation), content },
    }),
    responses: { ...success(operation, schemas), ...failures(operation, schemas) },
  };
}

/** Whether all of the body may be left out. */
function takesNoBody({ body }: Operation): boolean {
  return body?.safeParse({}).success === true;
}

function requestContent({ body, bodies }: Operation, schemas: Schemas): Content | null {
  const all = body === null ? bodies : { 'application/json': body };
  const types = Object.entries(all).map(([type, schema]) => [type, { schema: schemas.of(schema, 'input') }]);
  return types.length === 0 ? null : (Object.fromEntries(types) as Content);
}

function parameters(where: 'path' | 'query', object: Json): OpenApiParameter[] {
  const { properties = {}, required = [] } = object as {
    readonly properties?: Readonly<Record<string, Json>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: where,
    required: required.includes(name),
    ...(typeof description === 'string' && { description }),
    schema,
  }));
}

function success({ status, answer, answerTypes }: Operation, schemas: Schemas) {
  const content: Content | null =
    answer !== null
      ? { 'application/json': { schema: schemas.of(answer, 'output') } }
      : answerTypes.length === 0
        ? null
        : Object.fromEntries(answerTypes.map((type) => [type, { schema: { type: 'string' } }]));
  const description = status === 201 ? 'Done' : status === 204 ? 'Done; nothing to tell' : 'The answer';
  return { [status]: { description, ...(content !== null && { content }) } };
}

/** By status; of one status the description names each code. */
function failures({ problems }: Operation, schemas: Schemas) {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of new Set([...problems, ...PROBLEMS_EVERYWHERE])) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const schema = schemas.of(problem, 'output');
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      {
        description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join('. '),
        content: { 'application/problem+json': { schema } },
      },
    ]),
  );
}

/** JSON Schemas; those with an id stand once, under `components`. */
class Schemas {
  readonly named: Record<string, Json> = {};

  of(schema: z.ZodType, io: 'input' | 'output'): Json {
    const { $defs, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
    for (const [name, definition] of Object.entries($defs ?? {})) {
      this.named[name] = without('id', moved(definition) as Json);
    }
    return without('$schema', moved(json) as Json);
  }
}

function without(key: string, json: Json): Json {
  return Object.fromEntries(Object.entries(json).filter(([name]) => name !== key));
}

/** With references to where this document keeps what they name. */
function moved(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(moved);
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => [
      key,
      key === '$ref' && typeof value === 'string'
        ? value.replace('#/$defs/', '#/components/schemas/')
        : moved(value),
    ]),
  );
}
