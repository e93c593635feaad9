import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import type { CustomDataHandler } from '../bus/original.ts';
import type { Sample } from '../metric.ts';
import { readCustomData, serveCustomData } from './custom-data.ts';
import { createLineReader } from './line-reader.ts';

const readLine = createLineReader(4096, () => 1_700_000_000);
const read = (text: string) => readCustomData(Buffer.from(text), readLine);

it('reads the lines of a message, and refuses those that are wrong alone', () => {
  const data = [
    'cpu 1.5 1700000000',
    'cpu',
    'mem nan 1700000000',
    5,
    null,
    '',
    'two 1 1700000000\nlines 2 1700000000',
    'x 2',
  ];
  expect(read(JSON.stringify({ protocol: 'plain', data }))).toEqual({
    samples: [
      { name: 'cpu', value: 1.5, timestamp: 1_700_000_000 },
      { name: 'x', value: 2, timestamp: 1_700_000_000 },
    ],
    refused: [
      { reason: 'malformed', line: 'cpu' },
      { reason: 'value_not_finite', line: 'mem nan 1700000000' },
      { reason: 'malformed', line: '5' },
      { reason: 'malformed', line: 'null' },
      { reason: 'malformed', line: 'two 1 1700000000\nlines 2 1700000000' },
    ],
  });
});

it.each([
  ['not JSON', '{"protocol": "plain"', 'JSON'],
  ['empty', '', 'JSON'],
  ['no object', '["a 1 1"]', 'object'],
  ['null', 'null', 'object'],
  ['of another protocol', '{"protocol": "pickle", "data": []}', 'protocol'],
  ['without data', '{"protocol": "plain"}', 'data'],
  ['with data that is no list', '{"protocol": "plain", "data": {"0": "a 1 1"}}', 'data'],
  ['too long', `{"protocol": "plain", "data": ["${'x'.repeat(9 * 2 ** 20)}"]}`, 'bytes'],
])('cannot read a message that is %s', (_, text, reason) => {
  expect(read(text)).toEqual({ unreadable: expect.stringContaining(reason) as unknown });
});

it('accounts for every line of whatever comes, and throws at nothing', () => {
  const line = fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue(), fc.constant('m 1 1700000000'));
  const message = fc.record({ protocol: fc.constant('plain'), data: fc.array(line) });
  fc.assert(
    fc.property(message, (given) => {
      const content = read(JSON.stringify(given));
      if (!('samples' in content)) throw new Error(content.unreadable);
      const blank = given.data.filter(
        (one) => typeof one === 'string' && /^[ \t\r\n\v\f]*$/.test(one),
      ).length;
      expect(content.samples.length + content.refused.length).toBeLessThanOrEqual(given.data.length);
      expect(content.samples.length + content.refused.length).toBeGreaterThanOrEqual(
        given.data.length - blank,
      );
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      readCustomData(Buffer.from(bytes), readLine);
    }),
  );
});

it('publishes what comes together at once, and tells of refusals only when that was accepted', async () => {
  let handler: CustomDataHandler = () => Promise.resolve([]);
  const queue = {
    consume: (given: CustomDataHandler) => {
      handler = given;
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
  const published: (readonly Sample[])[] = [];
  let isDown = true;
  const publishSamples = (samples: readonly Sample[]) => {
    if (isDown) return Promise.reject(new Error('the broker is down'));
    published.push(samples);
    return Promise.resolve({ refused: null });
  };
  const refusals = { count: vi.fn() };
  await serveCustomData({ queue, bus: { publishSamples }, refusals, readLine });
  const messages = [
    '{"protocol": "plain", "data": ["a 1 1700000000", "bad"]}',
    '?',
    '{"protocol": "plain", "data": ["a 2 1700000300"]}',
  ].map((text) => ({ body: Buffer.from(text), redelivered: false }));
  await expect(handler(messages)).rejects.toThrow('down');
  expect(refusals.count).not.toHaveBeenCalled();
  isDown = false;
  expect(await handler(messages)).toEqual([null, 'it is not JSON', null]);
  expect(published).toEqual([
    [
      { name: 'a', value: 1, timestamp: 1_700_000_000 },
      { name: 'a', value: 2, timestamp: 1_700_000_300 },
    ],
  ]);
  expect(refusals.count.mock.calls).toEqual([['malformed', 1, 'bad']]);
});
