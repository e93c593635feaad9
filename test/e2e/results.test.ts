import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine.ts';
import type { ConfigInput } from '../../src/config.ts';
import { baseUrl, EventClient, request } from '../support/api-client.ts';
import { temporaryDirectory, until } from '../support/engine-process.ts';
import { seededRandom } from '../support/series.ts';

/** The live stream against a whole engine: what a client is told is what is stored, across any number of reconnects. */
const START = 1_700_000_000;

interface ResultJson {
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly rowid: number;
  readonly timestamp: number;
  readonly value: number;
  readonly anomalyScore: number;
  readonly logLikelihood: number;
  readonly backlog: boolean;
}

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let engine: Engine;
const clients: EventClient[] = [];

beforeEach(async () => {
  directory = await temporaryDirectory();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await engine.stop();
  await directory.remove();
});

async function start(streams: NonNullable<ConfigInput['api']>['streams'] = {}): Promise<void> {
  engine = new Engine({
    dataDirectory: directory.path,
    listener: { graphite: { enabled: false } },
    monitoring: { variant: 'tm_cpp' },
    scheduler: { workers: 1 },
    api: { port: 0, streams },
    log: { level: 'silent' },
  });
  await engine.start();
}

async function monitor(...names: string[]): Promise<void> {
  for (const metric of names) {
    await engine.monitorMetric({ metricSpec: { metric }, modelParams: { min: 0, max: 100 } });
  }
}

/** Rows `first` to `last`: the value of each is its rowid. */
async function push(name: string, first: number, last: number): Promise<void> {
  const rowids = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  await engine.push(rowids.map((rowid) => ({ name, value: rowid, timestamp: START + rowid })));
}

async function scored(name: string, rows: number): Promise<void> {
  await until(`${rows} scored rows of ${name}`, async () => {
    const { body } = await request(engine, 'GET', `/api/v1/metrics/${name}`);
    return body['scoredRows'] === rows;
  });
}

async function connect(query: string, lastEventId?: string): Promise<EventClient> {
  const client = await EventClient.open(`${baseUrl(engine)}/api/v1/results${query}`, lastEventId);
  clients.push(client);
  return client;
}

const rowids = (results: readonly ResultJson[]) => results.map(({ rowid }) => rowid);
const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe('the stream of one metric', () => {
  it('tells each result as it is stored', async () => {
    await start();
    await monitor('a', 'b');
    const client = await connect('?metric=a');
    await push('b', 1, 3);
    await push('a', 1, 5);
    await until('five results', () => Promise.resolve(client.events.length >= 5));
    const { body } = await request(engine, 'GET', '/api/v1/metrics/a/data');
    const uid = String(body['uid']);
    const rows = (body['rows'] as object[]).map((row) => ({
      ...row,
      name: 'a',
      uid,
      generation: 1,
      backlog: false,
    }));
    expect(client.data('result')).toEqual(rows);
    expect(client.events.map(({ id }) => id)).toEqual(upTo(5).map((rowid) => `${uid}:1:${rowid}`));
  });

  it(
    'loses and repeats nothing, however often a client is cut off and the engine restarted',
    { timeout: 60_000 },
    async () => {
      await start();
      await monitor('a');
      const random = seededRandom(5);
      const seen: ResultJson[] = [];
      let lastEventId: string | undefined;
      let client = await connect('?metric=a');
      await push('a', 1, 1);
      await until('an id to come back with', () => Promise.resolve(client.lastEventId !== undefined));
      for (let round = 0; round < 8; round += 1) {
        await push('a', 40 * round + 2, 40 * round + 41);
        await new Promise((resolve) => setTimeout(resolve, 60 * random()));
        if (round % 4 === 3) await engine.stop();
        await client.close();
        seen.push(...client.data<ResultJson>('result'));
        lastEventId = client.lastEventId ?? lastEventId;
        if (round % 4 === 3) await start();
        client = await connect('?metric=a', lastEventId);
      }
      await until('all', () => Promise.resolve(seen.length + client.events.length >= 321));
      seen.push(...client.data<ResultJson>('result'));
      expect(rowids(seen)).toEqual(upTo(321));
    },
  );

  it('catches up from any row that is stored, in the query too', async () => {
    await start();
    await monitor('a');
    await push('a', 1, 250);
    await scored('a', 250);
    const { body } = await request(engine, 'GET', '/api/v1/metrics/a');
    const client = await connect(`?metric=a&lastEventId=${String(body['uid'])}:1:20`);
    await until('230 results', () => Promise.resolve(client.events.length >= 230));
    expect(rowids(client.data('result'))).toEqual(upTo(250, 21));
  });

  it('leaves out what is below a log-likelihood', async () => {
    await start();
    await monitor('a');
    const low = await connect('?metric=a&minLogLikelihood=0.01');
    const high = await connect('?metric=a&minLogLikelihood=0.9');
    await push('a', 1, 10);
    await until('ten results', () => Promise.resolve(low.events.length >= 10));
    expect(high.events).toEqual([]);
  });

  it('says when the generation that a client knows is gone, and goes on with the next', async () => {
    await start();
    await monitor('a');
    await push('a', 1, 5);
    await scored('a', 5);
    const { body } = await request(engine, 'GET', '/api/v1/metrics/a');
    const uid = String(body['uid']);
    const old = `${uid}:1:2`;
    await request(engine, 'DELETE', '/api/v1/metrics/a/model');
    const waiting = await connect('?metric=a', old);
    const fresh = await connect('?metric=a');
    await monitor('a');
    await scored('a', 5);
    await push('a', 6, 7);
    for (const client of [waiting, fresh]) {
      await until('row 7', () => Promise.resolve(client.lastEventId === `${uid}:2:7`));
      expect(client.events[0]?.event).toBe('reset');
      expect(client.data<{ reason: string }>('reset')).toEqual([{ reason: 'generation', generation: 2 }]);
    }
    for (const nonsense of ['x', `${uid}:9:1`, `${'0'.repeat(32)}:2:1`, `${uid}:2:99`]) {
      const client = await connect('?metric=a', nonsense);
      await until('a reset', () => Promise.resolve(client.events.length > 0));
      expect(client.events[0]).toMatchObject({ event: 'reset', id: `${uid}:2:7` });
    }
  });

  it('says when the metric was deleted and made again', async () => {
    await start();
    await monitor('a');
    await push('a', 1, 2);
    await scored('a', 2);
    const client = await connect('?metric=a');
    await engine.deleteMetricByName('a');
    await monitor('a');
    await push('a', 1, 3);
    await until('a reset', () => Promise.resolve(client.events.some(({ event }) => event === 'reset')));
  });
});

describe('the stream of all metrics', () => {
  it('tells the results of all, of each in order, and goes on where a client was', async () => {
    await start();
    await monitor('a', 'b', 'c');
    const before = await connect('');
    const some = await connect('?metric=a&metric=b');
    for (const name of 'abc') await push(name, 1, 20);
    await until('60 results', () => Promise.resolve(before.events.length >= 60));
    await before.close();
    for (const name of 'abc') await push(name, 21, 30);
    await scored('c', 30);
    const after = await connect('', before.lastEventId);
    await until('30 results', () => Promise.resolve(after.events.length >= 30));
    const all = [...before.data<ResultJson>('result'), ...after.data<ResultJson>('result')];
    for (const name of 'abc') {
      expect(rowids(all.filter((result) => result.name === name))).toEqual(upTo(30));
    }
    await until('40 results', () => Promise.resolve(some.events.length >= 60));
    expect(new Set(some.data<ResultJson>('result').map(({ name }) => name))).toEqual(new Set(['a', 'b']));
  });

  it('says when it cannot go on where a client was', async () => {
    await start({ ringResults: 10 });
    await monitor('a');
    const client = await connect('');
    await push('a', 1, 5);
    await until('five results', () => Promise.resolve(client.events.length >= 5));
    await client.close();
    await push('a', 6, 20);
    await scored('a', 20);
    await until('the ring has it', async () => {
      const probe = await connect('', client.lastEventId);
      // One that comes before the results do is ended without a word when they overrun it.
      await until('an event or the end', () => Promise.resolve(probe.events.length > 0 || probe.isOver));
      return probe.data<{ reason: string }>('reset')[0]?.reason === 'too_old';
    });
    for (const id of ['x', '', 'x.1', `${client.lastEventId?.split('.')[0] ?? ''}.999`]) {
      const again = await connect('', id);
      await until('a reset', () => Promise.resolve(again.events.length > 0 || id === ''));
      if (id !== '') expect(again.events[0]?.event).toBe('reset');
    }
  });
});

describe('streams', () => {
  it('are bounded, live on when there is nothing to say, and end with the engine', async () => {
    await start({ max: 2, heartbeatMs: 30 });
    await monitor('a');
    const [first, second] = [await connect(''), await connect('?metric=a')];
    await expect(connect('')).rejects.toThrow(/^503: .*"overloaded"/);
    await until('heartbeats', () => Promise.resolve(first.comments > 2 && second.comments > 2));
    await first.close();
    await until('room', () =>
      connect('').then(
        () => true,
        () => false,
      ),
    );
    const stopping = performance.now();
    await engine.stop();
    await second.ended;
    expect(performance.now() - stopping).toBeLessThan(8000);
  });

  it('refuse what they cannot serve', async () => {
    await start();
    const bad = ['?metric=nobody', '?minLogLikelihood=2', '?minLogLikelihood=x', '?unknown=1', '?metric='];
    for (const query of bad) await expect(connect(query), query).rejects.toThrow(/^(400|404): \{.*"code":/);
    await expect(connect(`?${'metric=a&'.repeat(101)}`)).rejects.toThrow(/^400/);
  });
});
