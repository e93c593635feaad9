import { RULES } from './rules.ts';
import type { Disturbance } from './simulation.ts';

/** How well planted disturbances were found: arithmetic alone. */

export interface ScoredRow {
  readonly timestamp: number;
  readonly anomalyScore: number;
}

/** What happened on one route in the time that is judged. */
export interface Judged {
  readonly rows: readonly ScoredRow[];
  readonly disturbances: readonly Disturbance[];
}

export interface Tally {
  readonly incidents: number;
  readonly incidentsFound: number;
  readonly roadworks: number;
  readonly roadworksFound: number;
  readonly falseAlarms: number;
  readonly routeDays: number;
  /** Of each incident that was found, from its beginning to the first alarm, in seconds, ascending. */
  readonly delays: readonly number[];
}

export interface Figures {
  /** Share of the incidents that were found; null without any. */
  readonly recall: number | null;
  /** Of one route on one day. */
  readonly falseAlarmsPerDay: number;
  readonly medianDelayMinutes: number | null;
}

const MINUTE_SECONDS = 60;

/** When alarms began: rows at or above the threshold, those that follow closely counted as one. */
export function alarmsIn(rows: readonly ScoredRow[]): { readonly from: number; readonly to: number }[] {
  const alarms: { from: number; to: number }[] = [];
  for (const { timestamp, anomalyScore } of rows) {
    if (anomalyScore < RULES.alarmScore) continue;
    const last = alarms.at(-1);
    if (last !== undefined && timestamp - last.to <= RULES.sameAlarmMinutes * MINUTE_SECONDS)
      last.to = timestamp;
    else alarms.push({ from: timestamp, to: timestamp });
  }
  return alarms;
}

/** @param days that the rows cover */
export function judge({ rows, disturbances }: Judged, days: number): Tally {
  const alarms = alarmsIn(rows);
  const grace = RULES.graceMinutes * MINUTE_SECONDS;
  const isDuring = (time: number, { from, to }: Disturbance) => time >= from && time <= to + grace;
  const delayOf = (disturbance: Disturbance) => {
    const first = rows.find(
      ({ timestamp, anomalyScore }) => anomalyScore >= RULES.alarmScore && isDuring(timestamp, disturbance),
    );
    return first === undefined ? null : first.timestamp - disturbance.from;
  };
  const incidents = disturbances.filter(({ kind }) => kind === 'incident');
  const roadworks = disturbances.filter(({ kind }) => kind === 'roadworks');
  const delays = incidents.map(delayOf).filter((delay) => delay !== null);
  return {
    incidents: incidents.length,
    incidentsFound: delays.length,
    roadworks: roadworks.length,
    roadworksFound: roadworks.filter((one) => delayOf(one) !== null).length,
    // An alarm that touches a disturbance is about it; all others are false.
    falseAlarms: alarms.filter(
      ({ from, to }) => !disturbances.some((one) => from <= one.to + grace && to >= one.from),
    ).length,
    routeDays: days,
    delays: delays.sort((a, b) => a - b),
  };
}

export function together(tallies: readonly Tally[]): Tally {
  const sum = (of: (tally: Tally) => number) => tallies.reduce((all, tally) => all + of(tally), 0);
  return {
    incidents: sum(({ incidents }) => incidents),
    incidentsFound: sum(({ incidentsFound }) => incidentsFound),
    roadworks: sum(({ roadworks }) => roadworks),
    roadworksFound: sum(({ roadworksFound }) => roadworksFound),
    falseAlarms: sum(({ falseAlarms }) => falseAlarms),
    routeDays: sum(({ routeDays }) => routeDays),
    delays: tallies.flatMap(({ delays }) => delays).sort((a, b) => a - b),
  };
}

export function figures({ incidents, incidentsFound, falseAlarms, routeDays, delays }: Tally): Figures {
  const middle = (delays.length - 1) / 2;
  const low = delays[Math.floor(middle)];
  const high = delays[Math.ceil(middle)];
  return {
    recall: incidents === 0 ? null : incidentsFound / incidents,
    falseAlarmsPerDay: routeDays === 0 ? 0 : falseAlarms / routeDays,
    medianDelayMinutes: low === undefined || high === undefined ? null : (low + high) / 2 / MINUTE_SECONDS,
  };
}

const COLUMNS = [
  'seed',
  'incidents',
  'found',
  'recall',
  'false alarms',
  'per route and day',
  'median delay',
  'roadworks found',
];

/** A table (Markdown) of every seed and of all together. */
export function reportTable(bySeed: ReadonlyMap<number, Tally>): string {
  const lines = [...bySeed].map(([seed, tally]) => line(String(seed), tally));
  lines.push(line('all', together([...bySeed.values()])));
  return [`| ${COLUMNS.join(' | ')} |`, `|${'---|'.repeat(COLUMNS.length)}`, ...lines].join('\n');
}

function line(seed: string, tally: Tally): string {
  const { recall, falseAlarmsPerDay, medianDelayMinutes } = figures(tally);
  const cells = [
    seed,
    tally.incidents,
    tally.incidentsFound,
    recall === null ? '-' : `${(recall * 100).toFixed(0)} %`,
    tally.falseAlarms,
    falseAlarmsPerDay.toFixed(3),
    medianDelayMinutes === null ? '-' : `${medianDelayMinutes.toFixed(1)} min`,
    `${tally.roadworksFound} of ${tally.roadworks}`,
  ];
  return `| ${cells.join(' | ')} |`;
}
