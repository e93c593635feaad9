import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine.ts';
import { request } from '../support/api-client.ts';
import { temporaryDirectory } from '../support/engine-process.ts';

const { version: VERSION } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

/** Samples over HTTP into a whole engine. */
const T = 1_700_000_000;
const JSON_TYPE = { 'content-type': 'application/json' };
const LINES_TYPE = { 'content-type': 'application/x-ndjson' };
const TEXT_TYPE = { 'content-type': 'text/plain; charset=utf-8' };

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let engine: Engine;

beforeAll(async () => {
  directory = await temporaryDirectory();
  engine = new Engine({
    dataDirectory: directory.path,
    listener: { graphite: { enabled: false, maxLineBytes: 100 } },
    bus: { maxBatchSamples: 50 },
    api: { port: 0, maxBodyBytes: 20_000, maxUnpackedBytes: 30_000 },
    log: { level: 'silent' },
  });
  await engine.start();
});
afterAll(async () => {
  await engine.stop();
  await directory.remove();
});

const post = (body: unknown, headers: Record<string, string>) =>
  request(engine, 'POST', '/api/v1/samples', body, headers);

async function stored(name: string): Promise<[number, number][]> {
  const { body } = await request(engine, 'GET', `/api/v1/metrics/${encodeURIComponent(name)}/data`);
  return (body['rows'] as { timestamp: number; value: number }[]).map(({ timestamp, value }) => [
    timestamp,
    value,
  ]);
}

describe('POST /api/v1/samples', () => {
  it.each<[string, unknown, Record<string, string>]>([
    [
      'the original’s metric data',
      { protocol: 'plain', data: [`NAME 1 ${T}`, `NAME 2.5 ${T + 1}`] },
      JSON_TYPE,
    ],
    [
      'an object of samples',
      {
        samples: [
          { name: 'NAME', value: 1, timestamp: T },
          { name: 'NAME', value: 2.5, timestamp: T + 1.9 },
        ],
      },
      JSON_TYPE,
    ],
    [
      'a bare list',
      [
        { name: 'NAME', value: 1, timestamp: T },
        { name: 'NAME', value: 2.5, timestamp: T + 1 },
      ],
      JSON_TYPE,
    ],
    [
      'lines of JSON',
      `{"name":"NAME","value":1,"timestamp":${T}}\r\n\n{"name":"NAME","value":2.5,"timestamp":${T + 1}}`,
      LINES_TYPE,
    ],
    ['Graphite lines', `NAME 1 ${T}\r\n\nNAME 2.5 ${T + 1}`, TEXT_TYPE],
  ])('stores %s, compressed or not', async (what, body, headers) => {
    for (const packed of [false, true]) {
      const name = `${what} ${packed}`.replaceAll(' ', '_');
      const text = (typeof body === 'string' ? body : JSON.stringify(body)).replaceAll('NAME', name);
      const answer = packed
        ? await post(gzipSync(text), { ...headers, 'content-encoding': 'gzip' })
        : await post(text, headers);
      expect(answer).toEqual({ status: 200, body: { accepted: 2, refused: 0, problems: [] } });
      expect(await stored(name)).toEqual([
        [T, 1],
        [T + 1, 2.5],
      ]);
    }
  });

  it('takes a sample without a time as one of now', async () => {
    const before = Math.floor(Date.now() / 1000);
    await post(
      [
        { name: 'now', value: 1 },
        { name: 'now2', value: 1, timestamp: null },
      ],
      JSON_TYPE,
    );
    for (const name of ['now', 'now2']) {
      const [[time] = [0]] = await stored(name);
      expect(time - before).toBeLessThan(30);
      expect(time).toBeGreaterThanOrEqual(before);
    }
  });

  it('tells of each line that it did not store why, and stores the others', async () => {
    const text = [
      `p 1 ${T}`,
      'what',
      '',
      `p 2 ${T}`,
      `p nan ${T + 1}`,
      `p 3 ${T + 1}`,
      `p 4 ${T - 1}`,
      `p 5 ${T}000`,
      `${'p'.repeat(120)} 1 ${T}`,
    ].join('\n');
    const { status, body } = await post(text, TEXT_TYPE);
    expect(status).toBe(200);
    expect([body['accepted'], body['refused']]).toEqual([2, 6]);
    const problems = body['problems'] as { line: number; reason: string; message: string }[];
    expect(problems.map(({ line, reason }) => [line, reason])).toEqual([
      [2, 'malformed'],
      [4, 'duplicate'],
      [5, 'value_not_finite'],
      [7, 'older'],
      [8, 'time_in_milliseconds'],
      [9, 'line_too_long'],
    ]);
    expect(problems.every(({ message }) => message.length > 10)).toBe(true);
    expect(await stored('p')).toEqual([
      [T, 1],
      [T + 1, 3],
    ]);
    // A repeat was understood: nothing about it is wrong.
    expect(await post(`p 1 ${T}`, TEXT_TYPE)).toMatchObject({
      status: 200,
      body: { accepted: 0, refused: 1 },
    });
    const elements = await post(
      [{ name: 'q', value: '1' }, 7, null, { name: 'q', value: 1, timestamp: T }],
      JSON_TYPE,
    );
    expect((elements.body['problems'] as { line: number }[]).map(({ line }) => line)).toEqual([1, 2, 3]);
    const data = await post(
      { protocol: 'plain', data: [5, `r 1 ${T}`, `r 2 ${T + 1}\nr 3 ${T + 2}`] },
      JSON_TYPE,
    );
    expect((data.body['problems'] as { line: number }[]).map(({ line }) => line)).toEqual([1, 3]);
  });

  it.each<[string, unknown, Record<string, string>, number, string]>([
    ['nothing readable', 'what\nis this', TEXT_TYPE, 400, 'invalid_request_body'],
    ['an empty body', '', TEXT_TYPE, 400, 'invalid_request_body'],
    ['an empty list', '[]', JSON_TYPE, 400, 'invalid_request_body'],
    ['no JSON', '{', JSON_TYPE, 400, 'invalid_request_body'],
    ['other JSON', '{"points":[]}', JSON_TYPE, 400, 'invalid_request_body'],
    ['another protocol', '{"protocol":"pickle","data":[]}', JSON_TYPE, 400, 'invalid_request_body'],
    ['JSON that is not UTF-8', Uint8Array.of(0x22, 0xff, 0x22), JSON_TYPE, 400, 'invalid_request_body'],
    ['another type', 'a 1', { 'content-type': 'image/png' }, 415, 'unsupported_media_type'],
    ['another encoding', 'a 1', { ...TEXT_TYPE, 'content-encoding': 'br' }, 415, 'unsupported_media_type'],
    ['gzip that is none', 'a 1', { ...TEXT_TYPE, 'content-encoding': 'gzip' }, 400, 'invalid_request_body'],
    ['too many lines', 'a 1\n'.repeat(51), TEXT_TYPE, 413, 'body_too_large'],
    ['a large body', 'a'.repeat(20_001), TEXT_TYPE, 413, 'body_too_large'],
    [
      'a bomb',
      gzipSync('a'.repeat(10_000_000)),
      { ...TEXT_TYPE, 'content-encoding': 'gzip' },
      413,
      'body_too_large',
    ],
  ])('refuses %s', async (_what, body, headers, status, code) => {
    expect(await post(body, headers)).toMatchObject({
      status,
      body: { code, detail: expect.any(String) as string },
    });
  });

  it('counts what it refuses by reason', async () => {
    const response = await fetch(`http://127.0.0.1:${String(engine.addresses.http?.port)}/metrics`);
    expect(await response.text()).toMatch(/htmengine_refused_samples_total\{reason="malformed"\} [1-9]/);
  });
});

describe('GET /api/v1/status', () => {
  it('tells how the engine is', async () => {
    const { status, body } = await request(engine, 'GET', '/api/v1/status');
    expect(status).toBe(200);
    expect(body).toMatchObject({ version: VERSION, ready: true, unprocessedRows: 0 });
    expect((body['metrics'] as { UNMONITORED: number }).UNMONITORED).toBeGreaterThan(5);
    expect(body['rows']).toBeGreaterThan(10);
    expect(Date.parse(String(body['startedAt']))).toBeLessThanOrEqual(Date.now());
  });
});
