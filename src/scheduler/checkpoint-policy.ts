import type { WarmModel } from './warm-models.ts';

/**
 * A model that stays is saved when what it has learned since would take so many times as long to replay as saving
 * takes: saving costs a twentieth of computing then.
 */
export const STAYING_SAVES = 20;
/** The weight of the newest time in a running mean. */
const NEWEST = 0.05;
/** Taken until something was measured: of the size of what a model of usual parameters takes. */
const FIRST_SAVE_MS_PER_BYTE = 5 / 2 ** 20;
const FIRST_ROW_MS = 0.4;
/** What a checkpoint costs at the least, however small: a file is made, synced and given its name. */
const MIN_SAVE_MS = 2;

/**
 * When it pays to save a model, from what saving and replaying were seen to cost (docs/decisions/0019). Without a
 * checkpoint nothing is lost but the time of replaying, so time is all that is weighed.
 */
export class CheckpointPolicy {
  readonly #maxRows: number;
  #saveMsPerByte = FIRST_SAVE_MS_PER_BYTE;
  #rowMs = FIRST_ROW_MS;

  /** @param maxRows a model with so many unsaved rows is saved in any case: bounds the replay after a crash. */
  constructor(maxRows: number) {
    this.#maxRows = maxRows;
  }

  /** Packing the model took so long. */
  saved(model: WarmModel, cpuMs: number): void {
    model.saveMs = cpuMs;
    this.#saveMsPerByte += NEWEST * (cpuMs / Math.max(1, model.bytes) - this.#saveMsPerByte);
  }

  /** So many rows of the model took so long. */
  ran(model: WarmModel, rows: number, cpuMs: number): void {
    if (rows === 0) return;
    model.rowMs = cpuMs / rows;
    this.#rowMs += NEWEST * (model.rowMs - this.#rowMs);
  }

  /** Whether a model that stays warm is to be saved now. */
  isDue(model: WarmModel): boolean {
    const rows = unsavedRows(model);
    return this.isOverdue(model) || rows * this.#rowMsOf(model) >= STAYING_SAVES * this.#saveMsOf(model);
  }

  /**
   * Whether a model that has to leave is saved first. One that comes back for m rows at a time replays m, 2m, ... n
   * rows between two checkpoints; it is saved when that together takes as long as saving does, which is the least for
   * both together.
   */
  isWorthSaving(model: WarmModel): boolean {
    const rows = unsavedRows(model);
    if (rows === 0) return false;
    const rowsAtATime = Math.max(1, model.rowid - model.newFromRowid);
    const replayedRows = (rows * (rows + rowsAtATime)) / (2 * rowsAtATime);
    return this.isOverdue(model) || replayedRows * this.#rowMsOf(model) >= this.#saveMsOf(model);
  }

  /** Whether so much is unsaved that saving is worth waiting for the disk. */
  isOverdue(model: WarmModel): boolean {
    return unsavedRows(model) >= this.#maxRows;
  }

  #rowMsOf({ rowMs }: WarmModel): number {
    return rowMs ?? this.#rowMs;
  }

  #saveMsOf({ saveMs, bytes }: WarmModel): number {
    return Math.max(MIN_SAVE_MS, saveMs ?? bytes * this.#saveMsPerByte);
  }
}

function unsavedRows({ rowid, savedRowid }: WarmModel): number {
  return rowid - savedRowid;
}

/**
 * After how many rows a model is saved that has to leave after each of them: the first number for which the replays of
 * 1, 2, ... rows together have taken as long as saving takes.
 * @param rowMs of one row
 */
export function rowsBetweenSaves(rowMs: number, saveMs: number): number {
  return Math.max(1, Math.ceil((Math.sqrt(1 + (8 * Math.max(MIN_SAVE_MS, saveMs)) / rowMs) - 1) / 2));
}
