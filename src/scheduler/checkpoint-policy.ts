import type { WarmModel } from './warm-models.ts';

/**
 * Fewer rows than this are computed again faster than a model is saved: with one row per swap-in, replaying half
 * of n rows and saving every n-th time together cost least near n = sqrt(2 * saving / one row), about 10 for the
 * 20-30 ms and 0.4 ms that a model of usual size takes.
 */
const REPLAYED_RATHER_THAN_SAVED_ROWS = 10;

/** Whether a model that stays warm is to be saved after its turn; `checkpointRows` bounds the replay after a crash. */
export function isCheckpointDue(model: WarmModel, checkpointRows: number): boolean {
  return model.rowid - model.savedRowid >= checkpointRows;
}

/** Whether a model that has to leave is saved first. */
export function isWorthSaving(model: WarmModel): boolean {
  return model.rowid - model.savedRowid >= REPLAYED_RATHER_THAN_SAVED_ROWS;
}
