import { type OpenApiDocument, openApiDocument, type OpenApiOperation } from '../src/api/openapi.ts';
import { PROBLEMS, PROBLEMS_EVERYWHERE } from '../src/contract/problems.ts';

type Json = Readonly<Record<string, unknown>>;

const INTRODUCTION = `# HTTP operations

<!-- Made from the contract (src/contract) by "npm run docs": change it there. -->

Every operation of \`/api/v1\` with what it takes and answers, as in the OpenAPI document that a running engine serves at \`/api/v1/openapi.json\` and shows at \`/docs\`. How the
interface behaves as a whole (names in paths, live results, tokens, the text interface of the original) is told in [HTTP](../http.md). Types are written as in TypeScript.
`;

/** docs/reference/http.md, made from the OpenAPI document. */
export function httpPage(): string {
  const document = openApiDocument('');
  const everywhere = PROBLEMS_EVERYWHERE.map((code) => `\`${code}\` (${PROBLEMS[code].status})`).join(', ');
  const general = `Whatever the operation, a request may be answered with ${everywhere}: see [Error codes](../errors.md).`;
  const tags = document.tags.map(({ name, description }) => tagText(document, name, description));
  return `${[INTRODUCTION.trim(), general, ...tags, objectsText(document)].join('\n\n')}\n`;
}

function tagText({ paths }: OpenApiDocument, tag: string, description: string): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { tags }]) => tags.includes(tag))
      .map(([method, operation]) => operationText(`${method.toUpperCase()} ${path}`, operation)),
  );
  return [`## ${description}`, ...operations].join('\n\n');
}

function operationText(title: string, operation: OpenApiOperation): string {
  const { summary, description, parameters, requestBody } = operation;
  const text = [`### ${title}`, description === undefined ? `${summary}.` : `${summary}. ${description}`];
  if (parameters.length > 0) {
    const rows = parameters.map(({ name, in: where, schema, required, description: meaning = '' }) => {
      const type = required ? typeOf(schema) : `${typeOf(schema)}${defaultOf(schema)}`;
      return `| \`${name}\` | ${where} | ${code(type)} | ${cell(meaning)} |`;
    });
    text.push(['| parameter | in | type | meaning |', '|---|---|---|---|', ...rows].join('\n'));
  }
  const bodies = Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) =>
    `**Body** \`${type}\`: ${schemaText(schema)}`.replace(': \n', '\n'),
  );
  return [...text, ...bodies, answersText(operation)].join('\n\n');
}

function answersText({ responses }: OpenApiOperation): string {
  const general = new Set<string>(PROBLEMS_EVERYWHERE);
  const answers: string[] = [];
  const problems: string[] = [];
  for (const [status, { description, content = {} }] of Object.entries(responses)) {
    if (Number(status) < 400) {
      const types = Object.entries(content).map(([type, { schema }]) =>
        type === 'application/json' ? schemaText(schema) : `\`${type}\``,
      );
      answers.push(
        `**Answer** \`${status}\`${types.length === 0 ? '' : `: ${types.join(' or ')}`}`.replace(
          ': \n',
          '\n',
        ),
      );
      continue;
    }
    const codes = [...description.matchAll(/`(\w+)`:/g)].map(([, name = '']) => name);
    problems.push(...codes.filter((name) => !general.has(name)).map((name) => `\`${name}\` (${status})`));
  }
  return [...answers, ...(problems.length === 0 ? [] : [`**Problems** ${problems.join(', ')}`])].join('\n\n');
}

function objectsText({ components: { schemas } }: OpenApiDocument): string {
  const objects = Object.entries(schemas).map(([name, schema]) => {
    const { description } = schema;
    return [
      `### ${name}`,
      ...(typeof description === 'string' ? [description] : []),
      fieldsTable(schema) ?? code(typeOf(schema)),
    ].join('\n\n');
  });
  return ['## Objects', ...objects].join('\n\n');
}

/** A schema in a sentence; an object with its fields as a table of its own. */
function schemaText(schema: Json): string {
  const description = typeof schema['description'] === 'string' ? ` ${schema['description']}` : '';
  const link = linkOf(schema);
  if (link !== null) return link + description;
  const table = fieldsTable(schema);
  return table === null ? code(typeOf(schema)) + description : `${description.trim()}\n\n${table}`;
}

function fieldsTable(schema: Json): string | null {
  const properties = schema['properties'] as Readonly<Record<string, Json>> | undefined;
  if (properties === undefined || Object.keys(properties).length === 0) return null;
  const required = new Set((schema['required'] as readonly string[] | undefined) ?? []);
  const rows = Object.entries(properties).map(([name, field]) => {
    const optional = required.has(name) ? '' : '?';
    const meaning = typeof field['description'] === 'string' ? field['description'] : '';
    return `| \`${name}${optional}\` | ${linkOf(field) ?? code(typeOf(field) + defaultOf(field))} | ${cell(meaning)} |`;
  });
  return ['| field | type | meaning |', '|---|---|---|', ...rows].join('\n');
}

function linkOf(schema: Json): string | null {
  if (schema['type'] === 'array') {
    const items = linkOf(schema['items'] as Json);
    return items === null ? null : `list of ${items}`;
  }
  const name = referred(schema);
  return name === null ? null : `[${name}](#${name.toLowerCase()})`;
}

function referred(schema: Json): string | null {
  const reference = schema['$ref'];
  return typeof reference === 'string' ? (reference.split('/').at(-1) ?? null) : null;
}

/** A schema as a type of TypeScript, with its bounds behind it. */
function typeOf(schema: Json): string {
  const name = referred(schema);
  if (name !== null) return name;
  if ('const' in schema) return JSON.stringify(schema['const']);
  if (Array.isArray(schema['enum'])) return schema['enum'].map((value) => JSON.stringify(value)).join(' | ');
  const union = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(union)) return (union as Json[]).map(typeOf).join(' | ');
  if (schema['type'] === 'array') {
    const items = typeOf(schema['items'] as Json);
    return items.includes('|') ? `(${items})[]` : `${items}[]`;
  }
  if (schema['type'] === 'object') return objectType(schema);
  const { type = 'unknown' } = schema;
  return `${Array.isArray(type) ? type.join(' | ') : String(type)}${boundsOf(schema)}`;
}

function objectType(schema: Json): string {
  const properties = schema['properties'] as Readonly<Record<string, Json>> | undefined;
  if (properties === undefined) {
    const { additionalProperties: values } = schema;
    return typeof values === 'object' && values !== null ? `{ [name]: ${typeOf(values as Json)} }` : 'object';
  }
  const required = new Set((schema['required'] as readonly string[] | undefined) ?? []);
  const fields = Object.entries(properties).map(
    ([name, field]) => `${name}${required.has(name) ? '' : '?'}: ${typeOf(field)}`,
  );
  return `{ ${fields.join(', ')} }`;
}

/** The bounds of whole numbers as such are none. */
function boundsOf({ minimum, maximum }: Json): string {
  const bound = (limit: unknown) =>
    typeof limit === 'number' && Math.abs(limit) !== Number.MAX_SAFE_INTEGER ? limit : null;
  const [low, high] = [bound(minimum), bound(maximum)];
  if (low === null && high === null) return '';
  return high === null ? `, from ${low ?? ''}` : low === null ? `, to ${high}` : `, ${low} to ${high}`;
}

function defaultOf(schema: Json): string {
  return schema['default'] === undefined ? '' : ` = ${JSON.stringify(schema['default'])}`;
}

function code(text: string): string {
  return `\`${cell(text)}\``;
}

/** A bar would end the cell of a table. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
