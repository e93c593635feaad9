import type { BacktrackingMemoryParameters, SegmentView } from '../backtracking-memory.ts';
import { pow } from '../numeric.ts';
import { Random } from '../random.ts';

/**
 * The backtracking memory written down word for word from section 4 of the model reference: lists and sets, every
 * state kept, everything searched. A judge for the fast one on paths that no recorded trace covers; checked itself
 * against the traces of 12.7 and 12.7b. The ceiling, which the reference does not have, is written down as plainly:
 * every segment in one list, sorted. Cells are numbered column * cellsPerColumn + cell.
 */
export class LiteralBacktrackingMemory {
  readonly #p: BacktrackingMemoryParameters;
  readonly #random: Random;
  readonly #cells: Cell[];
  #slotsMade = 0;

  infA: number[] = [];
  infP: number[] = [];
  colConf: number[];
  lrnA: number[] = [];
  lrnP: number[] = [];
  infHist: number[][] = [];
  lrnHist: number[][] = [];
  pamCounter: number;
  learnedSeqLength = 0;
  lrnIter = 0;
  density = 0;
  #infPBefore: number[] = [];
  #lrnABefore: number[] = [];
  #lrnPBefore: number[] = [];
  #queue: Update[] = [];
  #resetCalled = false;

  constructor(p: BacktrackingMemoryParameters) {
    this.#p = p;
    this.#random = Random.seeded(p.seed);
    this.#cells = Array.from({ length: p.columnCount * p.cellsPerColumn }, () => ({
      slots: [],
      madeAs: [],
      free: [],
    }));
    this.colConf = new Array<number>(p.columnCount).fill(0);
    this.pamCounter = p.pamLength;
  }

  compute(columns: number[], learn: boolean, infer: boolean): number {
    const unpredicted = columns.filter((column) => this.colConf[column] === 0).length;
    if (learn) this.lrnIter++;
    if (learn && TIERS.slice(1).includes(this.lrnIter)) {
      for (const segment of this.#allSegments()) this.#duty(segment, false);
    }
    const kept = R32(0.99);
    this.density =
      this.density === 0
        ? columns.length
        : R32(R32(kept * this.density) + R32(R32(1 - kept) * columns.length));
    if (infer) this.#inferenceUpdate(columns);
    if (learn) this.#learningUpdate(columns);
    this.#resetCalled = false;
    return unpredicted;
  }

  reset(): void {
    this.infA = [];
    this.infP = [];
    this.#infPBefore = [];
    this.colConf.fill(0);
    this.lrnA = [];
    this.#lrnABefore = [];
    this.lrnP = [];
    this.#lrnPBefore = [];
    this.#queue = [];
    this.infHist = [];
    this.lrnHist = [];
    this.#resetCalled = true;
  }

  segments(): SegmentView[] {
    return this.#cells.flatMap((cell, number) =>
      cell.slots
        .filter((segment) => segment !== null)
        .map((segment) => ({
          cell: number,
          sources: segment.synapses.map((synapse) => synapse.source),
          permanences: segment.synapses.map((synapse) => synapse.permanence),
          duty: segment.duty,
          dutyIteration: segment.dutyIteration,
        })),
    );
  }

  // 4.2
  #duty(segment: Segment, positive: boolean): number {
    const i = this.lrnIter;
    if (i <= 100) {
      segment.duty = R32(segment.positiveActivations / i);
    } else {
      const age = i - segment.dutyIteration;
      if (age === 0 && !positive) return segment.duty;
      const a = RATES[TIERS.findLastIndex((tier) => tier < i)];
      segment.duty = R32(pow(1 - a, age) * segment.duty);
      if (positive) segment.duty = R32(segment.duty + a);
    }
    segment.dutyIteration = i;
    return segment.duty;
  }

  // 4.4 to 4.6
  #inferenceUpdate(columns: number[]): void {
    this.#infPBefore = this.infP;
    if (this.#p.maxInfBacktrack > 0) {
      if (this.infHist.length > this.#p.maxInfBacktrack) this.infHist.shift();
      this.infHist.push(columns);
    }
    if (!this.#inferPhase1(columns, this.#resetCalled) || !this.#inferPhase2()) this.#inferBacktrack();
  }

  #inferPhase1(columns: number[], useStart: boolean): boolean {
    if (useStart) {
      this.infA = columns.map((column) => this.#startCell(column));
      return true;
    }
    let predictedCount = 0;
    this.infA = columns.flatMap((column) => {
      const all = this.#cellsOf(column);
      const predicted = all.filter((cell) => this.#infPBefore.includes(cell));
      if (predicted.length > 0) predictedCount++;
      return predicted.length > 0 ? predicted : all;
    });
    return predictedCount >= 0.5 * columns.length;
  }

  #inferPhase2(): boolean {
    const active = new Set(this.infA);
    this.infP = [];
    this.colConf.fill(0);
    this.#cells.forEach((cell, number) => {
      for (const segment of cell.slots) {
        if (segment === null) continue;
        const potential = segment.synapses.filter((synapse) => active.has(synapse.source));
        if (potential.length < this.#p.activationThreshold) continue;
        const column = this.#columnOf(number);
        this.colConf[column] = R32(this.colConf[column] + this.#duty(segment, false));
        const connected = potential.filter((synapse) => synapse.permanence >= R32(this.#p.connectedPerm));
        if (connected.length >= this.#p.activationThreshold && !this.infP.includes(number))
          this.infP.push(number);
      }
    });
    const sum = this.colConf.reduce((total, confidence) => R32(total + confidence), 0);
    if (sum > 0) this.colConf = this.colConf.map((confidence) => R32(confidence / sum));
    return new Set(this.infP.map((cell) => this.#columnOf(cell))).size >= 0.5 * this.density;
  }

  #inferBacktrack(): void {
    const current = this.infHist.length - 1;
    if (current < 0) return;
    const savedA = this.infA;
    const savedP = this.#infPBefore;
    const bad = new Set<number>();
    let found = -1;
    for (let start = 0; start <= current && found < 0; start++) {
      let good = true;
      for (let offset = start; offset <= current && good; offset++) {
        this.#infPBefore = this.infP;
        good = this.#inferPhase1(this.infHist[offset], offset === start) && this.#inferPhase2();
      }
      if (good) found = start;
      else bad.add(start);
    }
    if (found < 0) {
      this.infA = savedA;
      this.#inferPhase2();
    }
    let dropped = 0;
    while (dropped <= current && (bad.has(dropped) || dropped <= found)) dropped++;
    this.infHist.splice(0, dropped);
    this.#infPBefore = savedP;
  }

  // 4.7
  #learningUpdate(columns: number[]): void {
    const p = this.#p;
    this.#lrnABefore = this.lrnA;
    this.#lrnPBefore = this.lrnP;
    if (p.maxLrnBacktrack > 0) {
      if (this.lrnHist.length > p.maxLrnBacktrack) this.lrnHist.shift();
      this.lrnHist.push(columns);
    }
    this.#processQueue(columns);
    this.pamCounter = Math.max(0, this.pamCounter - 1);
    this.learnedSeqLength++;
    if (!this.#resetCalled && this.#learnPhase1(columns, false)) this.pamCounter = p.pamLength;
    if (
      this.#resetCalled ||
      this.pamCounter === 0 ||
      (p.maxSeqLength !== 0 && this.learnedSeqLength >= p.maxSeqLength)
    ) {
      const back = this.#resetCalled ? 0 : this.#learnBacktrack();
      if (back === 0) {
        this.lrnA = columns.map((column) => this.#startCell(column));
        this.lrnHist = [];
      }
      this.pamCounter = p.pamLength;
      this.learnedSeqLength = back;
      this.#queue = [];
    }
    this.#keepBelowCeiling();
    this.#learnPhase2(false);
  }

  #keepBelowCeiling(): void {
    const { maxSegments = Infinity, maxSynapses = Infinity } = this.#p.ceiling ?? {};
    for (;;) {
      const segments = this.#cells.flatMap(({ slots, madeAs }) =>
        slots.flatMap((segment, slot) => (segment === null ? [] : [{ segment, made: madeAs[slot] }])),
      );
      const synapses = segments.reduce((sum, { segment }) => sum + segment.synapses.length, 0);
      if (segments.length <= maxSegments && synapses <= maxSynapses) return;
      segments.sort((a, b) => a.segment.dutyIteration - b.segment.dutyIteration || a.made - b.made);
      const evicted = new Set(
        segments.slice(0, Math.ceil(segments.length / 8)).map(({ segment }) => segment),
      );
      for (const cell of this.#cells) {
        const kept = cell.slots.map((segment) => segment !== null && !evicted.has(segment));
        cell.slots = cell.slots.filter((_, slot) => kept[slot]);
        cell.madeAs = cell.madeAs.filter((_, slot) => kept[slot]);
        cell.free = [];
      }
    }
  }

  // 4.8
  #learnPhase1(columns: number[], readOnly: boolean): boolean {
    this.lrnA = [];
    let unpredicted = 0;
    for (const column of columns) {
      const predicted = this.#cellsOf(column).filter((cell) => this.#lrnPBefore.includes(cell));
      this.lrnA.push(...predicted);
      if (predicted.length > 0) continue;
      unpredicted++;
      if (readOnly) continue;
      const best = this.#bestSegment(column, this.#lrnABefore, this.#p.minThreshold);
      if (best !== undefined) {
        this.lrnA.push(best.cell);
        const update = this.#computeUpdate(best.cell, best.slot, this.#lrnABefore);
        if (update !== undefined) this.#adapt(update);
      } else {
        const cell = this.#cellForNewSegment(column);
        this.lrnA.push(cell);
        const update = this.#computeUpdate(cell, NEW, this.#lrnABefore);
        if (update !== undefined) this.#adapt(update);
      }
    }
    return unpredicted < Math.floor(columns.length / 2);
  }

  #bestSegment(
    column: number,
    cells: number[],
    threshold: number,
  ): { cell: number; slot: number } | undefined {
    const active = new Set(cells);
    let best: { cell: number; slot: number; count: number } | undefined;
    for (const cell of this.#cellsOf(column)) {
      let bestOfCell: { cell: number; slot: number; count: number } | undefined;
      this.#cells[cell].slots.forEach((segment, slot) => {
        if (segment === null) return;
        const count = segment.synapses.filter((synapse) => active.has(synapse.source)).length;
        if (count >= threshold && (bestOfCell === undefined || count > bestOfCell.count))
          bestOfCell = { cell, slot, count };
      });
      if (bestOfCell !== undefined && (best === undefined || bestOfCell.count >= best.count))
        best = bestOfCell;
    }
    return best;
  }

  // 4.9
  #adapt(update: Update): void {
    const p = this.#p;
    const cell = this.#cells[update.cell];
    const initial = R32(p.initialPerm);
    if (update.slot === NEW) {
      const segment: Segment = {
        synapses: update.sources.map((source) => ({ source, permanence: initial })),
        positiveActivations: 1,
        duty: R32(1 / this.lrnIter),
        dutyIteration: this.lrnIter,
      };
      const slot = cell.free.pop();
      if (slot === undefined) {
        cell.slots.push(segment);
        cell.madeAs.push(this.#slotsMade++);
      } else cell.slots[slot] = segment;
      return;
    }
    const segment = cell.slots[update.slot];
    if (segment === null) return;
    segment.positiveActivations++;
    this.#duty(segment, true);
    const listed = new Set(update.sources);
    const had = new Set(segment.synapses.map((synapse) => synapse.source));
    segment.synapses = segment.synapses
      .map(({ source, permanence }) => ({
        source,
        permanence: listed.has(source)
          ? Math.min(R32(permanence + R32(p.permanenceInc)), R32(p.permanenceMax))
          : R32(permanence - R32(p.permanenceDec)),
      }))
      .filter(({ permanence }) => permanence > 0);
    const fresh = update.sources.filter((source) => !had.has(source));
    const surplus = segment.synapses.length + fresh.length - p.maxSynapsesPerSegment;
    if (surplus > 0) {
      const rank = ({ source, permanence }: Synapse) =>
        listed.has(source) ? R32(permanence + 1) : permanence;
      const removed = new Set(
        [...segment.synapses].sort((a, b) => rank(a) - rank(b) || a.source - b.source).slice(0, surplus),
      );
      segment.synapses = segment.synapses.filter((synapse) => !removed.has(synapse));
    }
    segment.synapses.push(...fresh.map((source) => ({ source, permanence: initial })));
    segment.synapses.sort((a, b) => a.source - b.source);
    if (segment.synapses.length === 0) this.#release(update.cell, update.slot);
  }

  // 4.9.1
  #cellForNewSegment(column: number): number {
    const cells = this.#cellsOf(column).slice(1);
    const candidates = cells.filter((cell) => this.#cells[cell].slots.length < this.#p.maxSegmentsPerCell);
    if (candidates.length > 0) return candidates[this.#random.below(candidates.length)];
    let least = Infinity;
    let chosen: [number, number] = [-1, -1];
    for (const cell of cells) {
      this.#cells[cell].slots.forEach((segment, slot) => {
        if (segment === null) return;
        const duty = this.#duty(segment, false);
        if (duty < least) {
          least = duty;
          chosen = [cell, slot];
        }
      });
    }
    // All slots empty: undefined in the original.
    if (chosen[0] < 0) return cells[0];
    this.#queue = this.#queue.filter((update) => update.cell !== chosen[0] || update.slot !== chosen[1]);
    this.#release(...chosen);
    return chosen[0];
  }

  #release(cell: number, slot: number): void {
    this.#cells[cell].slots[slot] = null;
    this.#cells[cell].free.push(slot);
  }

  // 4.10
  #computeUpdate(cell: number, slot: number, cells: number[]): Update | undefined {
    const segment = slot === NEW ? null : this.#cells[cell].slots[slot];
    const has = new Set(segment?.synapses.map((synapse) => synapse.source));
    const sources = cells.filter((source) => has.has(source));
    const wanted = this.#p.newSynapseCount - sources.length;
    const candidates = cells.filter((source) => !has.has(source)).sort((a, b) => a - b);
    if (wanted > 0 && candidates.length > 0) {
      if (candidates.length <= wanted) {
        sources.push(...candidates);
      } else if (wanted === 1) {
        sources.push(candidates[this.#random.below(candidates.length)]);
      } else {
        const picked: number[] = [];
        this.#random.sample(candidates, candidates.length, wanted, picked);
        sources.push(...picked);
      }
    }
    sources.sort((a, b) => a - b);
    return sources.length === 0 ? undefined : { cell, slot, created: this.lrnIter, sources };
  }

  // 4.11
  #processQueue(columns: number[]): void {
    const queue = this.#queue;
    this.#queue = [];
    for (const update of queue) {
      if (this.lrnIter - update.created > 1) continue;
      if (columns.includes(this.#columnOf(update.cell))) this.#adapt(update);
    }
  }

  // 4.12
  #learnPhase2(readOnly: boolean): void {
    this.lrnP = [];
    for (let column = 0; column < this.#p.columnCount; column++) {
      const best = this.#bestSegment(column, this.lrnA, this.#p.activationThreshold);
      if (best === undefined) continue;
      this.lrnP.push(best.cell);
      if (readOnly) continue;
      const update = this.#computeUpdate(best.cell, best.slot, this.lrnA);
      if (update !== undefined) this.#queue.push(update);
    }
  }

  // 4.14
  #learnBacktrack(): number {
    const candidates = this.lrnHist.length - 1;
    for (let start = 0; start < candidates; start++) {
      if (!this.#replay(start, true)) continue;
      this.#replay(start, false);
      this.lrnHist.splice(0, start + 1);
      return candidates - start;
    }
    if (candidates > 0) this.lrnHist = [];
    return 0;
  }

  #replay(start: number, readOnly: boolean): boolean {
    if (!readOnly) this.#queue = [];
    let ok = true;
    for (let offset = start; offset < this.lrnHist.length; offset++) {
      this.#lrnABefore = this.lrnA;
      this.#lrnPBefore = this.lrnP;
      if (!readOnly) this.#processQueue(this.lrnHist[offset]);
      if (offset === start) {
        this.lrnA = this.lrnHist[offset].map((column) => this.#startCell(column));
      } else {
        ok = this.#learnPhase1(this.lrnHist[offset], readOnly);
      }
      if (!ok || offset === this.lrnHist.length - 1) break;
      this.#learnPhase2(readOnly);
    }
    return ok;
  }

  #startCell(column: number): number {
    return column * this.#p.cellsPerColumn;
  }

  #columnOf(cell: number): number {
    return Math.floor(cell / this.#p.cellsPerColumn);
  }

  #cellsOf(column: number): number[] {
    return Array.from({ length: this.#p.cellsPerColumn }, (_, cell) => this.#startCell(column) + cell);
  }

  #allSegments(): Segment[] {
    return this.#cells.flatMap((cell) => cell.slots.filter((segment) => segment !== null));
  }
}

interface Cell {
  slots: (Segment | null)[];
  /** The slots' ordinals among all slots of the memory. */
  madeAs: number[];
  /** Free slots; the one freed last is taken first. */
  free: number[];
}

interface Segment {
  synapses: Synapse[];
  positiveActivations: number;
  duty: number;
  dutyIteration: number;
}

interface Synapse {
  readonly source: number;
  readonly permanence: number;
}

interface Update {
  readonly cell: number;
  readonly slot: number;
  readonly created: number;
  readonly sources: readonly number[];
}

const R32 = Math.fround;
const NEW = -1;
const TIERS = [0, 100, 320, 1000, 3200, 10_000, 32_000, 100_000, 320_000];
const RATES = [0, 0.0032, 0.001, 0.00032, 0.0001, 0.000032, 0.00001, 0.0000032, 0.000001].map(R32);
