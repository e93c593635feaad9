import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';

/** What the page may do: run its own files and talk to this engine. Its charts and widgets set styles themselves. */
const POLICY = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
const NOT_BUILT =
  'The page is not built: run "npm run build". The interface is at /api/v1, see docs/http.md.\n';

/** Where the build puts the page: beside this file's folder in dist, whether the sources run or what was built. */
export function pageDirectory(): string {
  const directory = import.meta.url.endsWith('.ts') ? '../../dist/dashboard' : '../dashboard';
  return fileURLToPath(new URL(directory, import.meta.url));
}

/**
 * The web page: `GET /`, its files under `/assets/`. No metric's text interface is hidden by it: the path of a metric
 * has at least one character, and none may begin with `assets`.
 */
export function pageRoutes(app: FastifyInstance, directory: string): void {
  if (!existsSync(directory)) {
    app.get('/', (_request, reply) => reply.code(404).type('text/plain; charset=utf-8').send(NOT_BUILT));
    return;
  }
  app.register(fastifyStatic, {
    root: `${directory}/assets`,
    prefix: '/assets/',
    // Their names change with their content.
    immutable: true,
    maxAge: '1y',
  });
  app.get('/', (_request, reply): FastifyReply =>
    reply
      .header('content-security-policy', POLICY)
      .sendFile('index.html', directory, { maxAge: 0, immutable: false }),
  );
}
