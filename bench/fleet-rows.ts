/** The rows that the models of a fleet have learned: a week of five-minute rows. */
export const LEARNED_ROWS = 2016;
export const ROW_SECONDS = 300;
/** The first row of all; a Monday's midnight. */
export const FIRST_SECOND = Date.UTC(2026, 0, 5) / 1000;
