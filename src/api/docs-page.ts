import type { FastifyInstance } from 'fastify';
import { PROBLEMS } from '../contract/problems.ts';
import type { OpenApiDocument, OpenApiOperation } from './openapi.ts';

/** It has no script and loads nothing; its one style is its own. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE = `
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem }
summary { cursor: pointer; padding: .4rem 0 } section { margin-bottom: 2rem }
code, pre { font: .9em ui-monospace, monospace } pre { overflow: auto; padding: .6rem; border: 1px solid; border-radius: .3rem }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700 }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0 }
`;

/** The OpenAPI document for people: `GET /docs`. */
export function docsRoutes(app: FastifyInstance, document: OpenApiDocument): void {
  const page = docsPage(document);
  app.get('/docs', (_request, reply) =>
    reply.header('content-security-policy', POLICY).type('text/html; charset=utf-8').send(page),
  );
}

/** The whole page as text. */
export function docsPage({ info, tags, paths, components }: OpenApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const sections = tags.map(({ name, description }) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(name));
    return `<section><h2>${text(description)}</h2>${own
      .map(({ path, method, operation }) => operationHtml(path, method, operation))
      .join('')}</section>`;
  });
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) =>
      `<details id="schema-${text(name)}"><summary><code>${text(name)}</code></summary>${json(schema)}</details>`,
  );
  const problems = Object.entries(PROBLEMS).map(
    ([code, { status, title }]) =>
      `<tr id="${text(code)}"><td><code>${text(code)}</code><td>${status}<td>${text(title)}`,
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(info.title)}: HTTP interface</title><style>${STYLE}</style></head><body>
<h1>${text(info.title)} <small>${text(info.version)}</small></h1>
<p>${text(info.description)} The same as a document for programs: <a href="api/v1/openapi.json">openapi.json</a>.</p>
${sections.join('\n')}
<section><h2>Schemas</h2>${schemas.join('')}</section>
<section><h2>Problems</h2><table><thead><tr><th>code<th>status<th>means<tbody>${problems.join('')}</table></section>
</body></html>
`;
}

function operationHtml(path: string, method: string, operation: OpenApiOperation): string {
  const { operationId, summary, description, parameters, requestBody, responses } = operation;
  const rows = parameters.map(
    (parameter) =>
      `<tr><td><code>${text(parameter.name)}</code><td>${parameter.in}${parameter.required ? ', required' : ''}<td><code>${text(JSON.stringify(parameter.schema))}</code><td>${text(parameter.description ?? '')}`,
  );
  const bodies = Object.entries(requestBody?.content ?? {}).map(
    ([type, { schema }]) => `<h4>Body: <code>${text(type)}</code></h4>${json(schema)}`,
  );
  const answers = Object.entries(responses).map(
    ([status, answer]) =>
      `<h4>${text(status)}: ${text(answer.description)}</h4>${
        Number(status) < 400
          ? Object.entries(answer.content ?? {})
              .map(([type, { schema }]) => `<p><code>${text(type)}</code></p>${json(schema)}`)
              .join('')
          : ''
      }`,
  );
  return `<details id="${text(operationId)}"><summary><span class="method">${text(method.toUpperCase())}</span> <code>${text(path)}</code> ${text(summary)}</summary>
${description === undefined ? '' : `<p>${text(description)}</p>`}
${rows.length === 0 ? '' : `<table><thead><tr><th>parameter<th>in<th>is<th><tbody>${rows.join('')}</table>`}
${bodies.join('')}${answers.join('')}</details>`;
}

function json(value: unknown): string {
  return `<pre>${text(JSON.stringify(value, null, 2))}</pre>`;
}

/** Text as it stands in markup. */
function text(plain: string): string {
  return plain
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
