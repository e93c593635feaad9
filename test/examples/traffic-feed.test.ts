import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { fetchFeed, FeedError, parseFeed, parsePoints } from '../../examples/traffic/nyc-feed.ts';

/** In the shape that the city documents; names, places and values are invented. */
const HEADER =
  'Id\tSpeed\tTravelTime\tStatus\tDataAsOf\tlinkId\tlinkPoints\tEncodedPolyLine\tEncodedPolyLineLvls\tOwner\tTranscom_id\tBorough\tlinkName';
const tabLine = (id: string, speed: string, time: string, points = '40.70,-73.99 40.705,-73.985') =>
  [id, speed, '204', '0', time, id, points, 'abc', 'BBB', 'A_Owner', '1', 'Queens', 'A Street N - B Avenue']
    .map((cell) => `"${cell}"`)
    .join('\t');
const jsonRow = (changes: Record<string, unknown> = {}) => ({
  id: '171',
  speed: '44.11',
  travel_time: '98',
  status: '0',
  data_as_of: '2026-01-15T08:04:08.000',
  link_id: '4616212',
  link_points: '40.70,-73.99 40.705,-73.985 40.71,-73.9',
  owner: 'A_Owner',
  borough: 'Staten Island',
  link_name: 'C Expressway E - D Bridge',
  ...changes,
});
const reasons = (...rows: unknown[]) => parseFeed(JSON.stringify(rows)).refused.map(({ reason }) => reason);

it('reads tab-separated rows, in New York time', () => {
  const { readings, refused } = parseFeed(
    `${HEADER}\r\n${tabLine('1', '31.69', '7/15/2026 08:04:08')}\r\n\r\n`,
  );
  expect(refused).toEqual([]);
  expect(readings).toEqual([
    {
      route: {
        id: '1',
        name: 'A Street N - B Avenue',
        borough: 'Queens',
        points: [
          [40.7, -73.99],
          [40.705, -73.985],
        ],
      },
      speed: 31.69,
      travelSeconds: 204,
      timestamp: Date.UTC(2026, 6, 15, 12, 4, 8) / 1000,
    },
  ]);
});

it('reads JSON rows', () => {
  const { readings } = parseFeed(JSON.stringify([jsonRow()]));
  expect(readings).toMatchObject([
    { route: { id: '4616212', borough: 'Staten Island' }, speed: 44.11, travelSeconds: 98 },
  ]);
  expect(readings[0]?.timestamp).toBe(Date.UTC(2026, 0, 15, 13, 4, 8) / 1000);
});

it('refuses bad rows one by one, says why, and takes the others', () => {
  const { readings, refused } = parseFeed(
    [
      HEADER,
      tabLine('1', 'fast', '7/15/2026 08:04:08'),
      '"2"\t"31"',
      tabLine('3', '30', '7/15/2026 08:04:08'),
    ].join('\n'),
  );
  expect(readings.map(({ route }) => route.id)).toEqual(['3']);
  expect(refused).toEqual([
    { row: 2, reason: 'speed "fast" is not from 0 to 150 miles per hour' },
    { row: 3, reason: 'it has 2 fields, the first line 13' },
  ]);
  expect(
    reasons(jsonRow({ speed: '-101' }), jsonRow({ travel_time: 'x' }), jsonRow({ link_id: 'a b' })),
  ).toEqual([
    'speed "-101" is not from 0 to 150 miles per hour',
    'travelTime "x" is no number of seconds',
    'linkId "a b" is not 1 to 64 letters, digits, _ or -',
  ]);
  expect(
    reasons(
      jsonRow({ data_as_of: '2026-02-30T08:00:00' }),
      jsonRow({ link_points: '40.7,' }),
      jsonRow({ link_name: '' }),
      7,
    ),
  ).toEqual([
    'dataAsOf "2026-02-30T08:00:00" is neither YYYY-MM-DDTHH:mm:ss nor M/D/YYYY H:mm:ss',
    'linkPoints "40.7," has not two corners "latitude,longitude"',
    'it has no linkname',
    'the row is no object',
  ]);
});

it('ends a route where its list of corners was cut off', () => {
  expect(parsePoints('40.70,-73.99 40.705,-73.985 40.7')).toEqual([
    [40.7, -73.99],
    [40.705, -73.985],
  ]);
  expect(parsePoints('40.70,-73.99 40.705,-73.985 40.71,-7')).toHaveLength(2);
});

it('refuses what is no feed', () => {
  expect(() => parseFeed('<html>')).toThrow(FeedError);
  expect(() => parseFeed('<html>')).toThrow('lacks the columns linkid');
  expect(() => parseFeed('[{"id": ')).toThrow('cut off');
});

it('asks for it over HTTP', async () => {
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/feed' ? 200 : 500;
    response.end(JSON.stringify([jsonRow()]));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect((await fetchFeed(`${url}/feed`)).readings).toHaveLength(1);
  await expect(fetchFeed(`${url}/other`)).rejects.toThrow('answered 500');
  server.close();
});
