/**
 * What a model needs of a temporal memory, whichever it is: the backtracking one (variant `cpp`) or the plain one
 * (variant `tm_cpp`). One instance per model; its state lives in its part of the model's arena.
 */
export interface SequenceMemory {
  /**
   * One record. `active[0..count)` are the pooler's active columns, ascending.
   * @returns how many of them were not predicted before this record (0..count): the numerator of the raw score.
   */
  compute(active: Uint16Array, count: number, learn: boolean, infer: boolean): number;
  /** Forgets the sequence so far (not what was learned): the next record is a first one. */
  reset(): void;
  /** Writes the active cells (column * cellsPerColumn + cell, ascending) to `out` and returns their number; for the classifier. */
  activeCells(out: Uint32Array): number;
  /** Living segments and their synapses. */
  readonly segmentCount: number;
  readonly synapseCount: number;
}
