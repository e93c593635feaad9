import { ArenaFormatError } from './arena.ts';
import type { Arena, SectionSpec } from './arena.ts';
import { keepBelow } from './ceiling.ts';
import { Random } from './random.ts';
import type { SequenceMemory } from './sequence-memory.ts';
import { CELL_NUMBERS, segmentLimits } from './temporal/parameters.ts';
import type { TemporalMemoryParameters } from './temporal/parameters.ts';
import { scratch } from './temporal/scratch.ts';
import { SegmentStore } from './temporal/segment-store.ts';
import type { SegmentView } from './temporal/segment-store.ts';
import { grownLength, segmentSchema } from './temporal/segment-tables.ts';
import type { SegmentLimits } from './temporal/segment-tables.ts';
import type { TypedArray } from './tables.ts';

export type { TemporalMemoryParameters };

/**
 * The plain temporal memory, variant `tm_cpp` (model reference, section 5): predicts from connected synapses of
 * distal segments on the cells that were active one record before, and grows them towards that record's winners.
 *
 * Cells are numbered inside with each column's cells padded to a power of two; outside it is
 * `column * cellsPerColumn + cell`.
 */
export class TemporalMemory implements SequenceMemory {
  /**
   * The sections a memory needs in its model's arena, in order.
   * @throws RangeError if a parameter is outside its range.
   */
  static schema(p: TemporalMemoryParameters): SectionSpec[] {
    const limits = segmentLimits(p);
    const words = groupCountOf(limits);
    return [
      { name: 'temporalRandom', type: 'u32', length: Random.STATE_WORDS },
      { name: 'temporalIteration', type: 'u32', length: 1 },
      { name: 'temporalActiveCells', type: 'u32', length: words },
      { name: 'temporalWinnerCells', type: 'u32', length: words },
      ...segmentSchema(limits),
    ];
  }

  /** A new memory over the zeroed sections `firstSection`, ... of `arena`. */
  static create(arena: Arena, firstSection: number, p: TemporalMemoryParameters): TemporalMemory {
    const memory = new TemporalMemory(arena, firstSection, p);
    Random.seeded(p.seed, memory.#randomState);
    return memory;
  }

  /**
   * The memory whose state is in the sections `firstSection`, ... of a loaded `arena`.
   * @throws ArenaFormatError when the sections are not a state this memory can have.
   */
  static attach(arena: Arena, firstSection: number, p: TemporalMemoryParameters): TemporalMemory {
    const memory = new TemporalMemory(arena, firstSection, p);
    memory.#checkState();
    memory.#findActiveGroups();
    memory.#predict(false);
    return memory;
  }

  readonly #limits: SegmentLimits;
  readonly #parameters: TemporalMemoryParameters;
  readonly #increment: number;
  readonly #decrement: number;
  readonly #punishment: number;
  readonly #initialPermanence: number;
  readonly #store: SegmentStore;
  #randomState!: Uint32Array;
  #random!: Random;
  #iteration!: Uint32Array;
  #active!: Uint32Array;
  #winners!: Uint32Array;
  /** The words of the cell sets that are not 0. */
  readonly #groups: Uint16Array;
  #groupCount = 0;
  /** Segments that are active or match, in the store's order, as of the last record. */
  #relevant = new Uint32Array(64);
  #relevantCount = 0;
  /** Per segment number, as of the last record: active synapses, and connected ones in the upper half. */
  #counts = new Uint32Array(64);

  private constructor(arena: Arena, firstSection: number, p: TemporalMemoryParameters) {
    this.#limits = segmentLimits(p);
    this.#parameters = p;
    this.#increment = Math.fround(p.permanenceIncrement);
    this.#decrement = Math.fround(p.permanenceDecrement);
    this.#punishment = Math.fround(p.predictedSegmentDecrement);
    this.#initialPermanence = Math.fround(p.initialPermanence);
    this.#groups = new Uint16Array(groupCountOf(this.#limits));
    arena.part(firstSection, (part) => {
      this.#randomState = part.view(0);
      this.#random = new Random(this.#randomState);
      this.#iteration = part.view(1);
      this.#active = part.view(2);
      this.#winners = part.view(3);
    });
    this.#store = new SegmentStore(arena, firstSection + OWN_SECTIONS, this.#limits);
  }

  get segmentCount(): number {
    return this.#store.segmentCount;
  }

  get synapseCount(): number {
    return this.#store.synapseCount;
  }

  /** Segments active, matching and predicting as of the last record. */
  get activeSegmentCount(): number {
    return this.#countRelevant((counts) => counts >>> 16 >= this.#parameters.activationThreshold);
  }

  get matchingSegmentCount(): number {
    return this.#countRelevant((counts) => (counts & 0xffff) >= this.#parameters.minThreshold);
  }

  /** The tables it holds outside the arena, and not shared. */
  tables(): TypedArray[] {
    return [this.#groups, this.#relevant, this.#counts, ...this.#store.synapses.tables()];
  }

  /**
   * One record (5.2). Predictions are always computed, as in the original: there is no switch for inference.
   * @throws RangeError if a column is outside the memory.
   */
  compute(active: Uint16Array, count: number, learn: boolean): number {
    if (count > 0 && active[count - 1] >= this.#parameters.columnCount) {
      throw new RangeError(`column ${active[count - 1]} is not below ${this.#parameters.columnCount}`);
    }
    this.#beginRecord();
    if (learn) this.#store.synapses.prefetch(this.#relevant, this.#relevantCount);
    const unpredicted = this.#activateCells(active, count, learn);
    if (learn) {
      this.#store.settle();
      // Here nothing refers to a segment: the relevant ones are about to be found anew.
      keepBelow(this.#parameters.ceiling, this.#store);
    }
    this.#predict(learn);
    return unpredicted;
  }

  reset(): void {
    this.#clearCells();
    this.#relevantCount = 0;
  }

  activeCells(out: Uint32Array): number {
    return this.#listCells(this.#active, out);
  }

  /** Writes the winner cells, numbered and ordered as by `activeCells`, to `out` and returns their number. */
  winnerCells(out: Uint32Array): number {
    return this.#listCells(this.#winners, out);
  }

  /** The columns predicted for the next record, ascending. */
  predictedColumns(): number[] {
    const columns = new Set<number>();
    for (let k = 0; k < this.#relevantCount; k++) {
      const segment = this.#relevant[k];
      if (this.#counts[segment] >>> 16 >= this.#parameters.activationThreshold) {
        columns.add(this.#store.owners[segment] >>> this.#limits.cellShift);
      }
    }
    return [...columns];
  }

  /** All segments by owner cell, then age, with cells numbered as by `activeCells`; for tests and inspection. */
  *segments(): Generator<SegmentView> {
    for (const segment of this.#store.segments()) {
      const sources = segment.sources.map((cell) => this.#outerCell(cell));
      yield { ...segment, owner: this.#outerCell(segment.owner), sources };
    }
  }

  /** Hands the last record's cells to the scratch, in place of what the last memory left there, and clears them. */
  #beginRecord(): void {
    for (let g = 0; g < scratch.groupCount; g++) {
      scratch.winners[scratch.groups[g]] = 0;
    }
    let listed = 0;
    for (let g = 0; g < this.#groupCount; g++) {
      const group = this.#groups[g];
      const winners = this.#winners[group];
      scratch.groups[g] = group;
      scratch.winners[group] = winners;
      for (let left = winners; left !== 0; left &= left - 1) {
        scratch.winnerList[listed++] = (group << 5) + lowestBit(left);
      }
    }
    scratch.groupCount = this.#groupCount;
    scratch.winnerCount = listed;
    this.#clearCells();
  }

  #clearCells(): void {
    for (let g = 0; g < this.#groupCount; g++) {
      this.#active[this.#groups[g]] = 0;
      this.#winners[this.#groups[g]] = 0;
    }
    this.#groupCount = 0;
  }

  /** Visits every column that is active or has a relevant segment, ascending; returns how many active ones were not predicted. */
  #activateCells(active: Uint16Array, count: number, learn: boolean): number {
    const { cellShift } = this.#limits;
    let unpredicted = 0;
    let k = 0;
    for (let a = 0; a < count; a++) {
      const column = active[a];
      const begin = this.#passBelow(column << cellShift, k, learn);
      const end = this.#relevantBelow((column + 1) << cellShift, begin);
      this.#noteGroup((column << cellShift) >>> 5);
      if (!this.#activatePredicted(begin, end, learn)) {
        unpredicted++;
        this.#burst(column, begin, end, learn);
      }
      k = end;
    }
    this.#passBelow(CELL_NUMBERS, k, learn);
    return unpredicted;
  }

  /** Punishes the matching segments from `k` on whose cells are below `cell`: their columns did not become active. */
  #passBelow(cell: number, k: number, learn: boolean): number {
    const { minThreshold } = this.#parameters;
    const end = this.#relevantBelow(cell, k);
    if (learn && this.#punishment > 0) {
      for (let i = k; i < end; i++) {
        const segment = this.#relevant[i];
        if ((this.#counts[segment] & 0xffff) < minThreshold) continue;
        this.#store.punish(segment, this.#punishment);
      }
    }
    return end;
  }

  #relevantBelow(cell: number, from: number): number {
    const { owners } = this.#store;
    let k = from;
    while (k < this.#relevantCount && owners[this.#relevant[k]] < cell) k++;
    return k;
  }

  #noteGroup(group: number): void {
    if (this.#groupCount === 0 || this.#groups[this.#groupCount - 1] !== group) {
      this.#groups[this.#groupCount++] = group;
    }
  }

  /** Activates the cells of the active segments among `relevant[begin..end)`; false if there are none. */
  #activatePredicted(begin: number, end: number, learn: boolean): boolean {
    const { activationThreshold } = this.#parameters;
    let predicted = false;
    for (let k = begin; k < end; k++) {
      const segment = this.#relevant[k];
      if (this.#counts[segment] >>> 16 < activationThreshold) continue;
      predicted = true;
      const cell = this.#store.owners[segment];
      this.#active[cell >>> 5] |= 1 << cell;
      this.#winners[cell >>> 5] |= 1 << cell;
      if (learn) this.#reinforce(segment);
    }
    return predicted;
  }

  /** Activates all cells of an unpredicted column and chooses the one that shall learn. */
  #burst(column: number, begin: number, end: number, learn: boolean): void {
    const { cellShift, cellsPerColumn } = this.#limits;
    const first = column << cellShift;
    this.#active[first >>> 5] |= ((2 ** cellsPerColumn - 1) << first) | 0;
    const best = this.#bestMatching(begin, end);
    const winner = best < 0 ? first + this.#leastUsedCell(first) : this.#store.owners[best];
    this.#winners[winner >>> 5] |= 1 << winner;
    if (!learn) return;
    if (best >= 0) {
      this.#reinforce(best);
      return;
    }
    const wanted = Math.min(this.#parameters.maxNewSynapseCount, scratch.winnerCount);
    if (wanted === 0) return;
    this.#grow(this.#store.create(winner, this.#iteration[0]), wanted);
  }

  /** The segment of `relevant[begin..end)` with most active synapses, the first among equals; -1 if there is none. */
  #bestMatching(begin: number, end: number): number {
    let best = -1;
    let most = 0;
    for (let k = begin; k < end; k++) {
      const potential = this.#counts[this.#relevant[k]] & 0xffff;
      if (potential > most) {
        best = this.#relevant[k];
        most = potential;
      }
    }
    return best;
  }

  /** One of the column's cells with fewest segments, drawn (5.4); `first` is the column's first cell. */
  #leastUsedCell(first: number): number {
    const { cellsPerColumn } = this.#limits;
    const { order, owners, segmentCount } = this.#store;
    const used = scratch.used;
    used.fill(0);
    for (let position = this.#store.positionOf(first); position < segmentCount; position++) {
      const cell = owners[order[position]] - first;
      if (cell >= cellsPerColumn) break;
      used[cell]++;
    }
    let least = used[0];
    let tied = 1;
    for (let cell = 1; cell < cellsPerColumn; cell++) {
      if (used[cell] === least) tied++;
      else if (used[cell] < least) {
        least = used[cell];
        tied = 1;
      }
    }
    let drawn = this.#random.below(tied);
    let cell = 0;
    while (used[cell] !== least || drawn-- > 0) cell++;
    return cell;
  }

  #reinforce(segment: number): void {
    const { maxNewSynapseCount } = this.#parameters;
    if (!this.#store.reinforce(segment, this.#increment, this.#decrement)) return;
    const wanted = maxNewSynapseCount - (this.#counts[segment] & 0xffff);
    if (wanted > 0) this.#grow(segment, wanted);
  }

  /** Grows up to `wanted` synapses to winners of the previous record that the segment does not listen to yet (5.6). */
  #grow(segment: number, wanted: number): void {
    const { candidates, taken } = scratch;
    const { maxSynapsesPerSegment } = this.#limits;
    const { synapses } = this.#store;
    let left = 0;
    synapses.addActiveSources(segment, taken);
    for (let k = 0; k < scratch.winnerCount; k++) {
      const cell = scratch.winnerList[k];
      if (((taken[cell >>> 5] >>> cell) & 1) === 0) candidates[left++] = cell;
    }
    for (let g = 0; g < scratch.groupCount; g++) taken[scratch.groups[g]] = 0;
    let growing = Math.min(wanted, left);
    let overrun = synapses.size(segment) + growing - maxSynapsesPerSegment;
    while (overrun > 0 && synapses.removeWeakest(segment, scratch.winners)) overrun--;
    growing = Math.min(growing, maxSynapsesPerSegment - synapses.size(segment));
    for (; growing > 0; growing--) {
      const drawn = this.#random.below(left);
      synapses.append(segment, candidates[drawn], this.#initialPermanence);
      candidates.copyWithin(drawn, drawn + 1, left);
      left--;
    }
  }

  /** Finds the segments that the present active cells make active or matching: the prediction of the next record. */
  #predict(learn: boolean): void {
    const { activationThreshold, minThreshold } = this.#parameters;
    const store = this.#store;
    if (this.#counts.length < store.numberBound) {
      const length = Math.max(store.numberBound, grownLength(this.#counts.length));
      this.#counts = new Uint32Array(length);
      this.#relevant = new Uint32Array(length);
    }
    store.synapses.findActive(this.#active, this.#groups, this.#groupCount, this.#counts, store.numberBound);
    const { lastUsed, order, segmentCount } = store;
    const now = this.#iteration[0];
    let relevant = 0;
    for (let position = 0; position < segmentCount; position++) {
      const segment = order[position];
      const counts = this.#counts[segment];
      const isActive = counts >>> 16 >= activationThreshold;
      if (learn && isActive) lastUsed[segment] = now;
      if (isActive || (counts & 0xffff) >= minThreshold) this.#relevant[relevant++] = segment;
    }
    this.#relevantCount = relevant;
    if (learn) this.#iteration[0] = now + 1;
  }

  #countRelevant(test: (counts: number) => boolean): number {
    let found = 0;
    for (let k = 0; k < this.#relevantCount; k++) if (test(this.#counts[this.#relevant[k]])) found++;
    return found;
  }

  #listCells(set: Uint32Array, out: Uint32Array): number {
    let listed = 0;
    for (let g = 0; g < this.#groupCount; g++) {
      const group = this.#groups[g];
      for (let left = set[group]; left !== 0; left &= left - 1) {
        out[listed++] = this.#outerCell((group << 5) + lowestBit(left));
      }
    }
    return listed;
  }

  #outerCell(cell: number): number {
    const { cellShift, cellsPerColumn } = this.#limits;
    return (cell >>> cellShift) * cellsPerColumn + (cell & ((1 << cellShift) - 1));
  }

  #findActiveGroups(): void {
    this.#groupCount = 0;
    for (let group = 0; group < this.#active.length; group++) {
      if (this.#active[group] !== 0) this.#groups[this.#groupCount++] = group;
    }
  }

  /** Refuses a loaded state of generator and cells that no record leaves behind. */
  #checkState(): void {
    const { cellShift, cellsPerColumn, columnCount } = this.#limits;
    for (let i = 0; i < Random.STATE_WORDS; i++) {
      const bound = i < Random.STATE_WORDS - 2 ? 2 ** 32 - 1 : Random.STATE_WORDS - 2;
      if (this.#randomState[i] >= bound) throw new ArenaFormatError('temporal memory: generator');
    }
    for (let group = 0; group < this.#active.length; group++) {
      let allowed = 0;
      for (let bit = 0; bit < 32; bit++) {
        const cell = (group << 5) + bit;
        if (cell >>> cellShift < columnCount && (cell & ((1 << cellShift) - 1)) < cellsPerColumn)
          allowed |= 1 << bit;
      }
      const active = this.#active[group];
      const winners = this.#winners[group];
      if ((active & ~allowed) !== 0 || (winners & ~active) !== 0 || (winners === 0) !== (active === 0)) {
        throw new ArenaFormatError('temporal memory: active and winner cells');
      }
    }
    const { lastUsed, order, segmentCount } = this.#store;
    for (let position = 0; position < segmentCount; position++) {
      if (lastUsed[order[position]] >= this.#iteration[0]) {
        throw new ArenaFormatError('temporal memory: a segment was used after the last record');
      }
    }
  }
}

/** Words of a cell set. */
function groupCountOf(limits: SegmentLimits): number {
  return ((limits.columnCount << limits.cellShift) + 31) >>> 5;
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

const OWN_SECTIONS = 4;
