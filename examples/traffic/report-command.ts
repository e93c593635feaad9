import { figures, reportTable, type Tally, together } from './report.ts';
import { runSeed } from './report-run.ts';
import { ROUTES } from './routes.ts';
import { RULES } from './rules.ts';

/** Prints how well the incidents of seeds 1 to `seeds` were found: a table, or JSON. */
export async function report(seeds: number, json: boolean): Promise<void> {
  const bySeed = new Map<number, Tally>();
  for (let seed = 1; seed <= seeds; seed++) {
    if (!json) process.stderr.write(`seed ${seed} of ${seeds} ...\n`);
    bySeed.set(seed, await runSeed(seed));
  }
  process.stdout.write(json ? `${JSON.stringify(reportJson(bySeed), null, 2)}\n` : reportText(bySeed));
}

export function reportJson(bySeed: ReadonlyMap<number, Tally>) {
  const all = together([...bySeed.values()]);
  return {
    simulated: true,
    rules: RULES,
    seeds: [...bySeed].map(([seed, tally]) => ({ seed, ...tally, ...figures(tally) })),
    all: { ...all, ...figures(all) },
  };
}

export function reportText(bySeed: ReadonlyMap<number, Tally>): string {
  const { learningWeeks, judgedWeeks, alarmScore, sameAlarmMinutes, graceMinutes } = RULES;
  return `Simulated traffic: ${ROUTES.length} routes, ${learningWeeks} weeks to learn, ${judgedWeeks} weeks judged, a value every 5 minutes.
Alarm: anomaly score from ${alarmScore} on; rows within ${sameAlarmMinutes} minutes are one alarm, which counts until ${graceMinutes} minutes after an incident.

${reportTable(bySeed)}
`;
}
