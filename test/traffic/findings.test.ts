import { expect, it } from 'vitest';
import { secondOf, type Planted } from '../../examples/traffic/city.ts';
import {
  falseAlarmsPerDay,
  findingsOf,
  medianDelayMinutes,
  recall,
  spansOf,
  together,
} from '../../examples/traffic/findings.ts';

/** How it is counted what was found, by hand. */
const rows = (scores: readonly (number | null)[]) =>
  scores.map((logLikelihood, i) => ({ timestamp: 300 * i, logLikelihood }));
const quiet = (count: number) => Array.from({ length: count }, () => 0.1);

it('a span opens at 0.5, goes on from 0.29 on, and is over after twelve rows below', () => {
  expect(spansOf('r', rows([null, 0.49, 0.5, 0.3, 0.28, 0.29, ...quiet(12), 0.29, 0.6, 0.2]))).toEqual([
    { route: 'r', from: 600, to: 1500 },
    { route: 'r', from: 300 * 19, to: 300 * 19 },
  ]);
  expect(spansOf('r', rows([0.5, ...quiet(11), 0.29]))).toEqual([{ route: 'r', from: 0, to: 3600 }]);
  expect(spansOf('r', rows([0.5, ...quiet(12), 0.49]))).toEqual([{ route: 'r', from: 0, to: 0 }]);
});

it('an incident is found by the first span of its route in its time; others are false alarms', () => {
  const planted: Planted[] = [
    { kind: 'accident', route: 'a', from: 100, to: 110, share: 0.2 },
    { kind: 'accident', route: 'b', from: 100, to: 110, share: 0.2 },
  ];
  const span = (route: string, step: number) => ({ route, from: secondOf(step), to: secondOf(step) });
  const findings = findingsOf(
    planted,
    // Too early by a step; found 10 minutes late; explained by the same; the last step of the aftermath; one too late.
    [span('a', 99), span('a', 102), span('a', 108), span('a', 122), span('a', 123), span('c', 102)],
    secondOf(0),
    secondOf(288),
  );
  expect(findings).toEqual({ planted: 2, found: 1, falseAlarms: 3, days: 1, delaysMinutes: [10] });
  expect(recall(findings)).toBe(0.5);
  expect(falseAlarmsPerDay(findings)).toBe(3);
});

it('what came before the days that count does not count, and cities add up', () => {
  const one = findingsOf(
    [],
    [{ route: 'a', from: secondOf(10), to: secondOf(11) }],
    secondOf(11),
    secondOf(299),
  );
  expect(one).toEqual({ planted: 0, found: 0, falseAlarms: 0, days: 1, delaysMinutes: [] });
  expect(medianDelayMinutes(one)).toBeNull();
  const other = { planted: 4, found: 3, falseAlarms: 5, days: 9, delaysMinutes: [30, 5, 10] };
  expect(together([one, other])).toEqual({ ...other, days: 10 });
  expect(medianDelayMinutes(other)).toBe(10);
});
