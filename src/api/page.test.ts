import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pageRoutes } from './page.ts';

let directory: string;
let app: FastifyInstance;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'api-page-'));
  await mkdir(join(directory, 'assets'));
  await writeFile(join(directory, 'index.html'), '<title>page</title>');
  await writeFile(join(directory, 'assets/main-1a2b.js'), 'run()');
  await writeFile(join(directory, 'secret.txt'), 'hidden');
  app = fastify();
});
afterEach(async () => {
  await app.close();
  await rm(directory, { recursive: true });
});

const get = (url: string) => app.inject({ method: 'GET', url });

describe('pageRoutes', () => {
  it('serves the page, asked for anew each time, and its files for good', async () => {
    pageRoutes(app, directory);
    const page = await get('/');
    expect([page.statusCode, page.body]).toEqual([200, '<title>page</title>']);
    expect(page.headers['content-type']).toMatch(/^text\/html/);
    expect(page.headers['cache-control']).toBe('public, max-age=0');
    expect(page.headers['content-security-policy']).toContain("default-src 'self'");
    const script = await get('/assets/main-1a2b.js');
    expect([script.statusCode, script.body]).toEqual([200, 'run()']);
    expect(script.headers['content-type']).toMatch(/javascript/);
    expect(script.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  });

  it('serves nothing else', async () => {
    pageRoutes(app, directory);
    for (const url of [
      '/assets/none.js',
      '/assets/../secret.txt',
      '/assets/%2e%2e/secret.txt',
      '/secret.txt',
      '/assets/',
    ]) {
      expect((await get(url)).body, url).not.toContain('hidden');
      expect((await get(url)).statusCode, url).toBeGreaterThanOrEqual(400);
    }
  });

  it('says what to do if it was not built', async () => {
    pageRoutes(app, join(directory, 'none'));
    const answer = await get('/');
    expect([answer.statusCode, answer.body.trim().split('\n').length]).toEqual([404, 1]);
    expect(answer.body).toContain('npm run build');
  });
});
