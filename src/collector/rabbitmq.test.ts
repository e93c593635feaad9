import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readQueueLengths } from './rabbitmq.ts';

const QUEUES = ['%2f/htm.metric.custom.data', 'app/a%20b'];
const AUTHORIZATION = `Basic ${Buffer.from('guest:secret').toString('base64')}`;

describe('the lengths of the queues of a broker', () => {
  let server: Server;
  let asked: string[];
  let answers: Record<string, object>;
  let refusals: number;

  beforeEach(async () => {
    asked = [];
    refusals = 0;
    answers = {
      '/api/overview': { queue_totals: { messages_ready_details: { avg: 12.5, rate: 1 } } },
      '/api/queues/%2f/htm.metric.custom.data': { messages_ready_details: { avg: 3 } },
      '/api/queues/app/a%20b': {},
    };
    server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://broker');
      if (refusals-- > 0) return void request.socket.destroy();
      asked.push(pathname);
      expect(request.headers.authorization).toBe(AUTHORIZATION);
      expect(searchParams.get('lengths_age')).toBe('300');
      const answer = answers[pathname];
      response.statusCode = answer === undefined ? 404 : 200;
      response.end(JSON.stringify(answer ?? { error: 'Object Not Found' }));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
  });
  afterEach(async () => {
    server.closeAllConnections();
    await once(server.close(), 'close');
  });

  const read = (queues = QUEUES) =>
    readQueueLengths(
      {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        user: 'guest',
        password: 'secret',
        queues,
        prefix: 'mq',
      },
      new AbortController().signal,
    );

  it('are means, and 0 where the broker has none', async () => {
    expect(await read()).toEqual([
      { name: 'mq-allq-ready.avg', value: 12.5 },
      { name: 'mq-q-htm.metric.custom.data-ready.avg', value: 3 },
      { name: 'mq-q-a b-ready.avg', value: 0 },
    ]);
    expect(asked).toEqual(Object.keys(answers));
  });

  it('are asked for again when the connection breaks', async () => {
    refusals = 2;
    expect(await read([])).toEqual([{ name: 'mq-allq-ready.avg', value: 12.5 }]);
  });

  it('are not there for a queue that is not', async () => {
    await expect(read(['%2f/none'])).rejects.toThrow(/answered 404 to \/api\/queues\/%2f\/none/);
  });
});
