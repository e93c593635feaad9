import { expect, it } from 'vitest';
import { alarmsIn, figures, judge, reportTable, together } from '../../examples/traffic/report.ts';
import type { Disturbance } from '../../examples/traffic/simulation.ts';

/** All figures here are worked out by hand. */
const MINUTE = 60;
const row = (minute: number, anomalyScore = 0.999999) => ({ timestamp: minute * MINUTE, anomalyScore });
const planted = (kind: Disturbance['kind'], from: number, to: number): Disturbance => ({
  kind,
  routeId: 'a',
  from: from * MINUTE,
  to: to * MINUTE,
  remaining: 0.3,
});

it('takes rows that follow within an hour for one alarm, and none below the threshold', () => {
  const alarms = alarmsIn([row(0), row(60), row(125), row(130, 0.99998), row(186, 0.99999)]);
  expect(alarms).toEqual([
    { from: 0, to: 60 * MINUTE },
    { from: 125 * MINUTE, to: 125 * MINUTE },
    { from: 186 * MINUTE, to: 186 * MINUTE },
  ]);
});

it('finds an incident from its beginning until an hour after its end, and counts all other alarms as false', () => {
  const tally = judge(
    {
      rows: [row(50), row(1015), row(2160), row(3161), row(5030)],
      disturbances: [
        planted('incident', 1000, 1100), // found after 15 minutes
        planted('incident', 2000, 2100), // found in its last minute of grace
        planted('incident', 3000, 3100), // a minute too late
        planted('roadworks', 5000, 5100), // found, and no false alarm
        planted('roadworks', 6000, 6100), // not found
      ],
    },
    5,
  );
  expect(tally).toEqual({
    incidents: 3,
    incidentsFound: 2,
    roadworks: 2,
    roadworksFound: 1,
    falseAlarms: 2,
    routeDays: 5,
    delays: [15 * MINUTE, 160 * MINUTE],
  });
  expect(figures(tally)).toEqual({ recall: 2 / 3, falseAlarmsPerDay: 0.4, medianDelayMinutes: 87.5 });
});

it('adds seeds up, and says nothing of what there was none of', () => {
  const one = judge({ rows: [row(10)], disturbances: [planted('incident', 5, 20)] }, 2);
  const two = judge({ rows: [row(10)], disturbances: [] }, 2);
  expect(figures(two)).toEqual({ recall: null, falseAlarmsPerDay: 0.5, medianDelayMinutes: null });
  const all = together([one, two]);
  expect(all).toMatchObject({ incidents: 1, incidentsFound: 1, falseAlarms: 1, routeDays: 4, delays: [300] });
  const lines = reportTable(
    new Map([
      [1, one],
      [2, two],
    ]),
  ).split('\n');
  expect(lines.slice(2)).toEqual([
    '| 1 | 1 | 1 | 100 % | 0 | 0.000 | 5.0 min | 0 of 0 |',
    '| 2 | 0 | 0 | - | 1 | 0.500 | - | 0 of 0 |',
    '| all | 1 | 1 | 100 % | 1 | 0.250 | 5.0 min | 0 of 0 |',
  ]);
});
