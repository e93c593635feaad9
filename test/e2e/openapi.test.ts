import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpenApiDocument, OpenApiOperation } from '../../src/api/openapi.ts';
import { openApiDocument } from '../../src/api/openapi.ts';
import { Engine } from '../../src/engine.ts';
import { baseUrl } from '../support/api-client.ts';
import { temporaryDirectory, until } from '../support/engine-process.ts';
import { type JsonSchema, SchemaValues } from '../support/schema-values.ts';
import { dailySeries } from '../support/series.ts';

/**
 * Requests made from the OpenAPI document alone: whatever it allows, whatever lies at its bounds, and whatever it
 * does not allow. A running engine must answer each as the document says, and never with a fault of its own.
 */
const document = openApiDocument('test') as OpenApiDocument & {
  components: { schemas: Record<string, JsonSchema> };
};
const values = new SchemaValues(document.components.schemas);
const VALID_REQUESTS = 12;
const ROWS = 120;
/** Metrics that are there: one scored, one with rows alone, one that is only a name. */
const NAMES = ['scored', 'stored', 'a/b ü🦄?#%'];

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let engine: Engine;

beforeAll(async () => {
  directory = await temporaryDirectory();
  engine = new Engine({
    dataDirectory: directory.path,
    listener: { graphite: { enabled: false } },
    monitoring: { variant: 'tm_cpp' },
    scheduler: { workers: 1 },
    api: { port: 0 },
    log: { level: 'silent' },
  });
  await engine.start();
  await makeMetrics();
}, 120_000);
afterAll(async () => {
  await engine.stop();
  await directory.remove();
});

/** Made again before each operation: the one before it may have removed them. */
async function makeMetrics(): Promise<void> {
  const { timestamps, values: series } = dailySeries('series', ROWS, 3);
  for (const name of NAMES.slice(0, 2)) {
    await engine.push(series.map((value, i) => ({ name, value, timestamp: timestamps[i] ?? 0 })));
  }
  await engine.createMetric(NAMES[2] ?? '').catch(() => undefined);
  await engine
    .monitorMetric({ metricSpec: { metric: 'scored' }, modelParams: { min: 0, max: 100 } })
    .catch(() => undefined);
  await until('all scores', async () => {
    const [metric] = (await engine.listMetrics()).filter(({ name }) => name === 'scored');
    return metric?.scoredRows === ROWS;
  });
}

interface Asked {
  readonly path: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body?: { readonly type: string; readonly value: unknown };
}

interface Answered {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

async function send(method: string, template: string, { path, query, body }: Asked): Promise<Answered> {
  const url = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(shown(path[name])));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, shown(one));
  }
  const stop = new AbortController();
  const response = await fetch(`${baseUrl(engine)}${url}?${search.toString()}`, {
    method: method.toUpperCase(),
    signal: stop.signal,
    ...(body !== undefined && {
      headers: { 'content-type': body.type },
      body:
        typeof body.value === 'string' && !body.type.endsWith('/json')
          ? body.value
          : JSON.stringify(body.value),
    }),
  });
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('text/event-stream')) {
    stop.abort();
    return { status: response.status, type, text: '' };
  }
  return { status: response.status, type, text: await response.text() };
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ $id: 'document', ...document });

/** The answer is one that the document has: status, type, and the JSON by its schema. */
function expectDocumented({ responses }: OpenApiOperation, asked: Asked, answered: Answered): void {
  const { status, type, text } = answered;
  const about = `${JSON.stringify(asked).slice(0, 500)} -> ${status} ${text.slice(0, 300)}`;
  expect(status, about).toBeLessThan(500);
  const response = responses[String(status)];
  expect(response, `not documented: ${about}`).toBeDefined();
  const [mediaType = ''] = type.split(';');
  if (response?.content === undefined) {
    expect(text, about).toBe('');
    return;
  }
  const content = response.content[mediaType];
  expect(content, `type ${type} is not documented: ${about}`).toBeDefined();
  if (!/[/+]json$/.test(mediaType)) return;
  const json = JSON.parse(text) as { code?: string };
  const schema = JSON.parse(
    JSON.stringify(content?.schema).replaceAll('"#/components', '"document#/components'),
  ) as object;
  expect(ajv.validate(schema, json), `${ajv.errorsText()}: ${about}`).toBe(true);
  if (status >= 400) expect(response.description).toContain(`\`${String(json.code)}\``);
}

function validRequests({ parameters, requestBody }: OpenApiOperation): fc.Arbitrary<Asked> {
  const inside = (where: 'path' | 'query') => {
    const own = parameters.filter((parameter) => parameter.in === where);
    return fc.record(
      Object.fromEntries(
        own.map(({ name, schema }) => [
          name,
          name === 'name' ? fc.oneof(fc.constantFrom(...NAMES), values.valid(schema)) : values.valid(schema),
        ]),
      ),
      { requiredKeys: own.filter(({ required }) => required).map(({ name }) => name) },
    );
  };
  const types = Object.entries(requestBody?.content ?? {});
  const bodies: fc.Arbitrary<Asked['body']>[] = types.map(([type, { schema }]) =>
    values.valid(schema).map((value) => ({ type, value })),
  );
  if (requestBody?.required !== true) bodies.push(fc.constant(undefined));
  return fc
    .record({ path: inside('path'), query: inside('query'), body: fc.oneof(...bodies) })
    .map(({ body, ...asked }) => ({ ...asked, ...(body !== undefined && { body }) }));
}

/** A request that the document allows, the same each time. */
function usualRequest(operation: OpenApiOperation): Asked {
  const [asked] = fc.sample(validRequests(operation), { numRuns: 1, seed: 7 });
  if (asked === undefined) throw new Error('no request was made');
  return { ...asked, path: 'name' in asked.path ? { ...asked.path, name: 'scored' } : asked.path };
}

/** The usual request with one thing in it replaced by each of its bounds, or by each thing it must not be. */
function variants(operation: OpenApiOperation, kind: 'bounds' | 'invalid'): Asked[] {
  const usual = usualRequest(operation);
  const asked: Asked[] = [];
  for (const parameter of operation.parameters) {
    const of = kind === 'bounds' ? values.bounds(parameter.schema) : values.invalid(parameter.schema, true);
    for (const value of of) {
      // An empty part of a path is another path.
      if (parameter.in === 'path' && value === '') continue;
      asked.push({ ...usual, [parameter.in]: { ...usual[parameter.in], [parameter.name]: value } });
    }
  }
  if (kind === 'invalid' && operation.parameters.some((p) => p.in === 'query')) {
    asked.push({ ...usual, query: { ...usual.query, unknown: '1' } });
  }
  for (const [type, { schema }] of Object.entries(operation.requestBody?.content ?? {})) {
    if (type === 'application/json') asked.push(...bodyVariants(usual, schema, kind));
  }
  return asked;
}

function bodyVariants(usual: Asked, given: JsonSchema, kind: 'bounds' | 'invalid'): Asked[] {
  const schema = values.resolve(given);
  const type = 'application/json';
  const whole = kind === 'bounds' ? values.bounds(schema) : values.invalid(schema, false);
  const usualBody = fc.sample(values.valid(schema), { numRuns: 1, seed: 7 })[0] as object;
  const parts = Object.entries(schema.properties ?? {}).flatMap(([name, part]) =>
    (kind === 'bounds' ? values.bounds(part) : values.invalid(part, false)).map((value) => ({
      ...usualBody,
      [name]: value,
    })),
  );
  const broken: unknown[] = [];
  if (kind === 'invalid' && schema.type === 'object') {
    broken.push({ ...usualBody, unknownKey: 1 });
    for (const name of schema.required ?? []) broken.push({ ...usualBody, [name]: undefined });
  }
  return [...whole, ...parts, ...broken].map((value) => ({ ...usual, body: { type, value } }));
}

describe.each(
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]) => [operation.operationId, method, path, operation] as const,
    ),
  ),
)('%s', (_id, method, path, operation) => {
  it('answers what the document allows', async () => {
    await makeMetrics();
    await fc.assert(
      fc.asyncProperty(validRequests(operation), async (asked) => {
        expectDocumented(operation, asked, await send(method, path, asked));
      }),
      { numRuns: VALID_REQUESTS, seed: 20_261_125, endOnFailure: true },
    );
  });

  it('answers what lies at the bounds', async () => {
    await makeMetrics();
    for (const asked of variants(operation, 'bounds')) {
      expectDocumented(operation, asked, await send(method, path, asked));
    }
  });

  it('refuses what the document does not allow, and says so', async () => {
    await makeMetrics();
    for (const asked of variants(operation, 'invalid')) {
      const answered = await send(method, path, asked);
      expectDocumented(operation, asked, answered);
      expect(answered.status, JSON.stringify(asked).slice(0, 500)).toBeGreaterThanOrEqual(400);
    }
  });
});

it('the engine serves this document', async () => {
  const served = (await (await fetch(`${baseUrl(engine)}/api/v1/openapi.json`)).json()) as OpenApiDocument;
  expect(served.paths).toEqual(document.paths);
});
