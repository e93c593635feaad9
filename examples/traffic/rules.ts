/**
 * What counts as an alarm, as found and as false: fixed before the report was first run, and the same for every seed and
 * for the page.
 */
export const RULES = {
  /** A row from this anomaly score on raises an alarm: one in a hundred thousand, the engine's own bound for red. */
  alarmScore: 0.99999,
  /** From here on the page says "remarkable": the engine's own bound for yellow. */
  remarkableScore: 0.9999,
  /** Rows of alarms at most so far apart are one alarm. */
  sameAlarmMinutes: 60,
  /** An alarm counts for what was planted until so long after its end, while the road recovers and the score is an average. */
  graceMinutes: 60,
  /** Weeks that models learn before anything is judged, and weeks that are judged. */
  learningWeeks: 2,
  judgedWeeks: 4,
  /** 2026-01-05 00:00 in New York, a Monday; two holidays are in the time: alarms on them count as false. */
  begin: 1_767_589_200,
} as const;
