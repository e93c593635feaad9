import { ArenaFormatError } from './arena.ts';
import type { Arena, SectionSpec } from './arena.ts';
import { Inference } from './backtracking/inference.ts';
import { Learning } from './backtracking/learning.ts';
import { CELL_MASK, CELL_SHIFT, checkBacktrackingMemoryParameters } from './backtracking/parameters.ts';
import type { BacktrackingMemoryParameters } from './backtracking/parameters.ts';
import { Segments } from './backtracking/segments.ts';
import type { SegmentView } from './backtracking/segment-rows.ts';
import type { SequenceMemory } from './sequence-memory.ts';
import type { TypedArray } from './tables.ts';

export type { BacktrackingMemoryParameters } from './backtracking/parameters.ts';
export type { SegmentView } from './backtracking/segment-rows.ts';

/**
 * The backtracking temporal memory of variant `cpp` (the original's Cells4). Model reference, section 4.
 *
 * Two sequence models over one set of segments: the inference state may burst and gives the scores, the learning
 * state has at most one cell per column and makes the segments grow. The supported mode is the one anomaly models
 * run: fixed-size, without pooling, without global decay.
 */
export class BacktrackingMemory implements SequenceMemory {
  readonly #p: BacktrackingMemoryParameters;
  readonly #segments: Segments;
  readonly #inference: Inference;
  readonly #learning: Learning;
  #afterReset!: Uint32Array;
  #density!: Float32Array;

  private constructor(
    arena: Arena,
    firstSection: number,
    p: BacktrackingMemoryParameters,
    parts: 'create' | 'attach',
  ) {
    const inferenceSection = firstSection + OWN_SECTIONS;
    const learningSection = inferenceSection + Inference.schema(p).length;
    const segmentsSection = learningSection + Learning.schema(p).length;
    this.#p = p;
    this.#segments = Segments[parts](arena, segmentsSection, p);
    this.#inference = Inference[parts](arena, inferenceSection, p, this.#segments);
    this.#learning = Learning[parts](arena, learningSection, p, this.#segments);
    arena.part(firstSection, (part) => {
      this.#afterReset = part.view(0);
      this.#density = part.view(1);
    });
  }

  /**
   * The sections of a memory with these parameters, to be put one after the other into an arena's schema.
   * @throws RangeError when the parameters cannot be used, naming the parameter, its value and the rule.
   */
  static schema(p: BacktrackingMemoryParameters): SectionSpec[] {
    checkBacktrackingMemoryParameters(p);
    return [
      { name: 'afterReset', type: 'u32', length: 1 },
      { name: 'averageInputDensity', type: 'f32', length: 1 },
      ...Inference.schema(p),
      ...Learning.schema(p),
      ...Segments.schema(p),
    ];
  }

  /** A new memory in the zeroed sections of an arena from `firstSection` on. */
  static create(arena: Arena, firstSection: number, p: BacktrackingMemoryParameters): BacktrackingMemory {
    return new BacktrackingMemory(arena, firstSection, p, 'create');
  }

  /**
   * The memory saved in the sections of a loaded arena from `firstSection` on.
   * @throws ArenaFormatError when the sections could not have come from a memory with these parameters. Any memory
   * that it accepts can be computed with.
   */
  static attach(arena: Arena, firstSection: number, p: BacktrackingMemoryParameters): BacktrackingMemory {
    const memory = new BacktrackingMemory(arena, firstSection, p, 'attach');
    const density = memory.#density[0];
    if (!(density >= 0 && density <= p.columnCount))
      throw new ArenaFormatError(`the average input density is ${density}`);
    if (memory.#afterReset[0] > 1)
      throw new ArenaFormatError(`the reset flag is ${memory.#afterReset[0]}, not 0 or 1`);
    return memory;
  }

  /**
   * One record. Model reference, sections 4.3 and 6.
   * @param active columns, ascending and distinct, below columnCount; the first `count` are read.
   * @throws RangeError when both switches are off, or the columns break these rules; the memory is unchanged then.
   */
  compute(active: Uint16Array, count: number, learn: boolean, infer: boolean): number {
    if (!learn && !infer) throw new RangeError('learn and infer are both off: at least one must be on');
    this.#checkColumns(active, count);
    let unpredicted = 0;
    for (let i = 0; i < count; i++) {
      if (!this.#inference.hasConfidence(active[i])) unpredicted++;
    }
    const afterReset = this.#afterReset[0] === 1;
    if (learn) this.#segments.beginIteration();
    this.#updateDensity(count);
    if (infer) this.#inference.update(active, count, afterReset, this.#density[0]);
    if (learn) this.#learning.update(active, count, afterReset);
    this.#afterReset[0] = 0;
    return unpredicted;
  }

  reset(): void {
    this.#inference.reset();
    this.#learning.reset();
    this.#afterReset[0] = 1;
  }

  activeCells(out: Uint32Array): number {
    return this.#cellsOf(this.#inference.active, out);
  }

  get segmentCount(): number {
    return this.#segments.segmentCount;
  }

  get synapseCount(): number {
    return this.#segments.synapseCount;
  }

  /** The tables it holds outside the arena, and not shared. */
  tables(): TypedArray[] {
    return [...this.#segments.tables(), ...this.#learning.tables()];
  }

  /** Everything about the present state that the reference's traces speak of, as plain values; for tests and tools. */
  inspect(): BacktrackingMemoryState {
    const cells = (words: Uint32Array) => {
      const out = new Uint32Array(this.#p.columnCount * this.#p.cellsPerColumn);
      return Array.from(out.subarray(0, this.#cellsOf(words, out)));
    };
    const number = (cell: number) => (cell >>> CELL_SHIFT) * this.#p.cellsPerColumn + (cell & CELL_MASK);
    const columns = Array.from({ length: this.#p.columnCount }, (_, column) => column);
    return {
      inferenceActive: cells(this.#inference.active),
      inferencePredicted: cells(this.#inference.predicted),
      confidentColumns: columns.filter((column) => this.#inference.hasConfidence(column)),
      learningActive: Array.from(this.#learning.active, number),
      learningPredicted: this.#learning.predicted().map(number),
      pamCounter: this.#learning.pamCounter,
      learnedSeqLength: this.#learning.learnedSeqLength,
      inferenceHistoryLength: this.#inference.historyLength,
      learningHistoryLength: this.#learning.historyLength,
      learningIterations: this.#segments.iteration,
      averageInputDensity: this.#density[0],
    };
  }

  /** All segments, ascending by cell and slot, with cells numbered column * cellsPerColumn + cell; for tests and tools. */
  segments(): SegmentView[] {
    const number = (cell: number) => (cell >>> CELL_SHIFT) * this.#p.cellsPerColumn + (cell & CELL_MASK);
    return this.#segments
      .list()
      .map((segment) => ({ ...segment, cell: number(segment.cell), sources: segment.sources.map(number) }));
  }

  #checkColumns(active: Uint16Array, count: number): void {
    let previous = -1;
    for (let i = 0; i < count; i++) {
      const column = active[i];
      // Also true for what lies behind the end of the array.
      if (!(column > previous && column < this.#p.columnCount))
        throw new RangeError(
          `active column ${column} after ${previous}: columns must ascend and be below ${this.#p.columnCount}`,
        );
      previous = column;
    }
  }

  #updateDensity(count: number): void {
    const average = this.#density[0];
    this.#density[0] =
      average === 0
        ? count
        : Math.fround(DENSITY_KEPT * average) + Math.fround(Math.fround(1 - DENSITY_KEPT) * count);
  }

  #cellsOf(words: Uint32Array, out: Uint32Array): number {
    const { columnCount, cellsPerColumn } = this.#p;
    let n = 0;
    for (let column = 0; column < columnCount; column++) {
      for (let rest = words[column] | 0; rest !== 0; rest &= rest - 1)
        out[n++] = column * cellsPerColumn + 31 - Math.clz32(rest & -rest);
    }
    return n;
  }
}

/** The state of a memory as the reference names it. Cells are numbered column * cellsPerColumn + cell. */
export interface BacktrackingMemoryState {
  readonly inferenceActive: readonly number[];
  readonly inferencePredicted: readonly number[];
  /** The columns predicted for the next record, as the raw score means it. */
  readonly confidentColumns: readonly number[];
  readonly learningActive: readonly number[];
  readonly learningPredicted: readonly number[];
  readonly pamCounter: number;
  readonly learnedSeqLength: number;
  readonly inferenceHistoryLength: number;
  readonly learningHistoryLength: number;
  readonly learningIterations: number;
  readonly averageInputDensity: number;
}

const OWN_SECTIONS = 2;
const DENSITY_KEPT = Math.fround(0.99);
