import { expect, it } from 'vitest';
import { newYorkSecond, readFeed } from '../../examples/traffic/feed.ts';
import { live } from '../../examples/traffic/source.ts';

/** The city's feed in the form of its documentation; the content is made up. */
const ENTRY = {
  id: '4',
  speed: '31.06',
  travel_time: '141',
  status: '0',
  data_as_of: '2025-07-01T08:00:00.000',
  link_id: '4616337',
  link_points: '40.7262,-74.0110 40.7259,-74.0115 40.7100,-74.9000 40.7250,-74.0112 40.72',
  owner: 'none',
  borough: 'Manhattan',
  link_name: 'A ROAD THAT IS NOT THERE',
};

it('gives the newest reading of each route, without points that are cut off or far away', () => {
  const older = { ...ENTRY, data_as_of: '2025-07-01T07:55:00.000', speed: '29.2' };
  expect(readFeed([older, ENTRY, older])).toEqual({
    readings: [
      {
        id: '4',
        name: 'A ROAD THAT IS NOT THERE',
        borough: 'Manhattan',
        points: [
          [40.7262, -74.011],
          [40.7259, -74.0115],
          [40.725, -74.0112],
        ],
        speed: 31.06,
        travelSeconds: 141,
        // Summer time: four hours behind UTC.
        timestamp: Date.UTC(2025, 6, 1, 12) / 1000,
      },
    ],
    problems: [],
  });
});

it('says what is wrong with an entry and takes the others', () => {
  const { readings, problems } = readFeed([
    { ...ENTRY, speed: 'fast' },
    { ...ENTRY, speed: '0', travel_time: '0' },
    { ...ENTRY, id: '../4' },
    { ...ENTRY, data_as_of: '7/1/2025 8:00' },
    { ...ENTRY, link_name: undefined },
    null,
    ENTRY,
  ]);
  expect(readings).toHaveLength(1);
  expect(problems).toEqual([
    'entry 1: speed is fast, which is no number from 0 on',
    'entry 2: route 4 has no reading (0 and 0)',
    'entry 3: id is ../4: it must be letters and digits',
    'entry 4: data_as_of is 7/1/2025 8:00: it must be like 2025-01-06T08:00:00.000',
    'entry 5: link_name is missing',
    'entry 6: it is no object',
  ]);
  expect(() => readFeed({ message: 'gone' })).toThrow('not a list');
});

it.each([
  ['2025-01-06T08:00:00', Date.UTC(2025, 0, 6, 13)],
  ['2025-03-09T01:59:59', Date.UTC(2025, 2, 9, 6, 59, 59)],
  ['2025-03-09T03:00:00', Date.UTC(2025, 2, 9, 7)],
  // Comes twice: the first, in summer time.
  ['2025-11-02T01:30:00', Date.UTC(2025, 10, 2, 5, 30)],
])('knows New York’s clocks: %s', (text, milliseconds) => {
  expect(newYorkSecond(text)).toBe(milliseconds / 1000);
});

it('refuses an hour that the clocks leave out', () => {
  expect(() => newYorkSecond('2025-03-09T02:30:00')).toThrow('leave out');
});

it('becomes samples per route and a drawing of what there is', async () => {
  const source = await live(() => Promise.resolve([ENTRY]));
  expect(source.isSimulated).toBe(false);
  expect(source.routes.map(({ id }) => id)).toEqual(['4']);
  for (const [x, y] of source.routes[0]?.points ?? []) {
    expect([x, y].every((at) => at >= 0 && at <= 100)).toBe(true);
  }
  const stop = new AbortController();
  for await (const batch of source.batches(stop.signal)) {
    const timestamp = Date.UTC(2025, 6, 1, 12) / 1000;
    expect(batch).toEqual([
      { name: '4', value: 31.06, timestamp },
      { name: '4.minutes', value: 2.35, timestamp },
    ]);
    stop.abort();
  }
});
