import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { HtmEngineError, hasCode } from '../errors.ts';
import { checkName } from '../metric.ts';
import type { DataRow } from '../store/queries.ts';
import type { GivenSample, SampleOutcome } from '../intake.ts';
import { bodyText } from './input.ts';
import type { ApiServices } from './services.ts';

/**
 * First parts of paths that are the engine's own, now or in a later release, and so cannot begin a metric's name
 * here (over Graphite and the library they can).
 */
const RESERVED_FIRST_PARTS = new Set([
  'api',
  'assets',
  'docs',
  'healthz',
  'metrics',
  'readyz',
  'render',
  'events',
  'tags',
]);
/** Rows that are read from the store at once while a long answer is sent. */
const PAGE_ROWS = 10_000;
const MAX_LIMIT = 100_000;

/**
 * The original skeleton application's interface (system reference 10.1) with its faults mended: names are
 * stored without the leading slash while answers repeat the client's path; nothing happens after an error; "Saved"
 * means stored.
 */
export function skeletonRoutes(app: FastifyInstance, services: ApiServices): void {
  app.put('/*', (request, reply) => monitor(services, request, reply));
  app.post('/*', (request, reply) => save(services, request, reply));
  app.get('/*', (request, reply) => read(services, request, reply));
  app.delete('/*', async (request, reply) => {
    const { name, path } = target(request);
    await services.control.deleteMetricByName(name);
    return text(reply).send(`Deleted ${path}\n`);
  });
  app.route({
    method: ['PATCH', 'OPTIONS'],
    url: '/*',
    handler: (_request, reply) =>
      text(reply.code(405).header('allow', 'GET, PUT, POST, DELETE')).send('use GET, PUT, POST or DELETE\n'),
  });
}

async function monitor(
  { control }: ApiServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { name, path } = target(request);
  const modelParams = parseObject(request.body);
  try {
    const metricId = await control.monitorMetric({
      datasource: 'custom',
      metricSpec: { metric: name },
      modelParams,
    });
    return await text(reply.code(201)).send(`Created ${metricId}\n`);
  } catch (error) {
    if (!hasCode(error, 'metric_already_monitored')) throw error;
    return text(reply.code(409)).send(`Model already exists for ${path}\n`);
  }
}

async function save(
  { intake }: ApiServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { name, path } = target(request);
  const lines = bodyText(request.body)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length === 0) {
    throw new HtmEngineError('invalid_request_body', 'the body has no line of "value timestamp"');
  }
  const given = lines.map((line) => parseLine(name, line));
  const outcomes = await intake(given.filter((sample) => sample !== null));
  let next = 0;
  const answers = given.map((sample, i) =>
    answerLine(path, lines[i] ?? '', sample === null ? null : (outcomes[next++] ?? null)),
  );
  // A sender that repeats what is stored has done nothing wrong; one of whom nothing at all could be read has.
  const understood = given.some((sample) => sample !== null);
  return text(reply.code(understood ? 200 : 400)).send(answers.join(''));
}

async function read(
  { queries }: ApiServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { name, path } = target(request);
  const limit = parseLimit(request.query);
  const metric = await queries.describeMetric(name);
  if (metric === null) throw new HtmEngineError('metric_not_found', `there is no metric ${path}`);
  const { metricId } = metric;

  if (limit !== null) {
    const newest = await queries.readData(metricId, { limit, newestFirst: true });
    return text(reply).send(formatRows(path, newest.reverse()));
  }
  async function* pages(): AsyncGenerator<string> {
    let afterRowid = 0;
    for (;;) {
      const rows = await queries.readData(metricId, { afterRowid, limit: PAGE_ROWS });
      if (rows.length > 0) yield formatRows(path, rows);
      if (rows.length < PAGE_ROWS) return;
      afterRowid = rows.at(-1)?.rowid ?? afterRowid;
    }
  }
  return text(reply).send(Readable.from(pages()));
}

/** The metric that a path names: percent-decoded, without the leading slash. */
function target(request: FastifyRequest): { name: string; path: string } {
  const name = (request.params as { '*': string })['*'];
  const firstPart = name.split('/', 1)[0] ?? '';
  if (RESERVED_FIRST_PARTS.has(firstPart)) {
    throw new HtmEngineError(
      'reserved_name',
      `paths that begin with /${firstPart} are the engine's own: choose another first part for the metric's name (for instance /x/${name})`,
    );
  }
  const refused = checkName(name);
  if (refused !== null) {
    throw new HtmEngineError(
      'invalid_metric_name',
      'the path is not the name of a metric: 1-255 characters, no control characters',
    );
  }
  return { name, path: `/${name}` };
}

function parseObject(body: unknown): Record<string, unknown> {
  const unparsable = new HtmEngineError(
    'invalid_request_body',
    'Unable to parse request: the body must be a JSON object such as {"min": 0, "max": 100}, or {} for a range learned from the data',
  );
  let json: unknown;
  try {
    json = JSON.parse(bodyText(body));
  } catch {
    throw unparsable;
  }
  const object = z.record(z.string(), z.unknown()).safeParse(json);
  if (!object.success) throw unparsable;
  return object.data;
}

const LINE = /^(\S+)[ \t]+(\S+)$/;
/** A decimal number; each part can match in one way only, so the time is linear in the length. */
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A line `value timestamp`, or null where it is not one. */
function parseLine(name: string, line: string): GivenSample | null {
  const [, value = '', timestamp = ''] = LINE.exec(line) ?? [];
  if (!NUMBER.test(value) || !NUMBER.test(timestamp)) return null;
  return { name, value: Number(value), timestamp: Number(timestamp) };
}

function answerLine(path: string, line: string, outcome: SampleOutcome | null): string {
  if (outcome === null)
    return `Refused ${path} ${line.slice(0, 80)} (malformed: a line is "value timestamp")\n`;
  if (!outcome.accepted) return `Refused ${path} ${line.slice(0, 80)} (${outcome.reason})\n`;
  return `Saved ${path} ${outcome.sample.value.toFixed(6)} @ ${outcome.sample.timestamp}\n`;
}

function formatRows(path: string, rows: readonly DataRow[]): string {
  return rows
    .map((row) => {
      const score = row.anomalyScore === null ? 'None' : float(row.anomalyScore);
      return `${path} ${float(row.value)} ${row.timestamp} ${score}\n`;
    })
    .join('');
}

/** A float as the original's clients know it: the shortest text that reads back as the same number, whole numbers with `.0`. */
function float(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e16 ? `${value}.0` : String(value);
}

function parseLimit(query: unknown): number | null {
  const result = z
    .object({ limit: z.coerce.number().int().min(1).max(MAX_LIMIT).optional() })
    .safeParse(query);
  if (!result.success) {
    throw new HtmEngineError('invalid_argument', `limit must be a whole number from 1 to ${MAX_LIMIT}`);
  }
  return result.data.limit ?? null;
}

function text(reply: FastifyReply): FastifyReply {
  return reply.type('text/plain; charset=utf-8');
}
