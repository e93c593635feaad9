import { Random } from '../random.ts';
import type { TemporalMemoryParameters } from '../temporal-memory.ts';

/** A segment of the oracle; synapses in order of creation. */
export interface OracleSegment {
  readonly owner: number;
  lastUsed: number;
  synapses: { source: number; permanence: number }[];
}

/**
 * Section 5 of the model reference written down once more, as plainly as it can be said: objects and lists, no
 * layout; with the ceiling, which the reference does not have. The temporal memory is compared with it on random input.
 */
export class PlainMemoryOracle {
  readonly #p: TemporalMemoryParameters;
  readonly #random: Random;
  readonly #cells: OracleSegment[][];
  activeCells: number[] = [];
  winnerCells: number[] = [];
  activeSegments: OracleSegment[] = [];
  matchingSegments: OracleSegment[] = [];
  #potential = new Map<OracleSegment, number>();
  #iteration = 0;
  /** How often the memory was above its ceiling. */
  evictions = 0;

  constructor(p: TemporalMemoryParameters) {
    this.#p = p;
    this.#random = Random.seeded(p.seed);
    this.#cells = Array.from({ length: p.columnCount * p.cellsPerColumn }, () => []);
  }

  /** Every segment by owner cell, then age. */
  get segments(): OracleSegment[] {
    return this.#cells.flat();
  }

  get predictedColumns(): number[] {
    return [...new Set(this.activeSegments.map((segment) => this.#columnOf(segment)))];
  }

  /** @returns how many of the active columns were not predicted. */
  compute(activeColumns: readonly number[], learn: boolean): number {
    const previous = new Set(this.activeCells);
    const previousWinners = this.winnerCells;
    const active = new Set<number>();
    const winners = new Set<number>();
    let unpredicted = 0;
    for (let column = 0; column < this.#p.columnCount; column++) {
      const predicting = this.activeSegments.filter((segment) => this.#columnOf(segment) === column);
      const matching = this.matchingSegments.filter((segment) => this.#columnOf(segment) === column);
      if (!activeColumns.includes(column)) {
        if (learn && this.#p.predictedSegmentDecrement > 0) {
          for (const segment of matching)
            this.#adapt(segment, previous, -this.#p.predictedSegmentDecrement, 0);
        }
      } else if (predicting.length > 0) {
        for (const segment of predicting) {
          active.add(segment.owner);
          winners.add(segment.owner);
          if (learn) this.#learn(segment, previous, previousWinners);
        }
      } else {
        unpredicted++;
        const first = column * this.#p.cellsPerColumn;
        for (let cell = 0; cell < this.#p.cellsPerColumn; cell++) active.add(first + cell);
        const most = Math.max(...matching.map((segment) => this.#potentialOf(segment)));
        const best = matching.find((segment) => this.#potentialOf(segment) === most);
        const winner = best?.owner ?? this.#leastUsedCell(first);
        winners.add(winner);
        if (learn && best) this.#learn(best, previous, previousWinners);
        else if (learn) this.#create(winner, previousWinners);
      }
    }
    this.activeCells = [...active].sort((a, b) => a - b);
    this.winnerCells = [...winners].sort((a, b) => a - b);
    if (learn) this.#keepBelowCeiling();
    this.#activateDendrites(learn);
    return unpredicted;
  }

  reset(): void {
    this.activeCells = [];
    this.winnerCells = [];
    this.activeSegments = [];
    this.matchingSegments = [];
  }

  #columnOf(segment: OracleSegment): number {
    return Math.floor(segment.owner / this.#p.cellsPerColumn);
  }

  #potentialOf(segment: OracleSegment): number {
    return this.#potential.get(segment) ?? 0;
  }

  #activateDendrites(learn: boolean): void {
    const active = new Set(this.activeCells);
    const threshold = Math.fround(Math.fround(this.#p.connectedPermanence) - Math.fround(1e-5));
    this.activeSegments = [];
    this.matchingSegments = [];
    for (const segment of this.segments) {
      const potential = segment.synapses.filter((synapse) => active.has(synapse.source));
      const connected = potential.filter((synapse) => synapse.permanence >= threshold);
      this.#potential.set(segment, potential.length);
      if (connected.length >= this.#p.activationThreshold) {
        this.activeSegments.push(segment);
        if (learn) segment.lastUsed = this.#iteration;
      }
      if (potential.length >= this.#p.minThreshold) this.matchingSegments.push(segment);
    }
    if (learn) this.#iteration++;
  }

  #keepBelowCeiling(): void {
    const { maxSegments = Infinity, maxSynapses = Infinity } = this.#p.ceiling ?? {};
    for (;;) {
      const { segments } = this;
      const synapses = segments.reduce((sum, segment) => sum + segment.synapses.length, 0);
      if (segments.length <= maxSegments && synapses <= maxSynapses) return;
      this.evictions++;
      // The sort is stable: equals keep their order, by owner cell, then age.
      segments.sort((a, b) => a.lastUsed - b.lastUsed);
      segments.slice(0, Math.ceil(segments.length / 8)).forEach((segment) => this.#destroy(segment));
    }
  }

  #learn(segment: OracleSegment, previous: Set<number>, winners: readonly number[]): void {
    this.#adapt(segment, previous, this.#p.permanenceIncrement, this.#p.permanenceDecrement);
    const wanted = this.#p.maxNewSynapseCount - this.#potentialOf(segment);
    if (wanted > 0 && segment.synapses.length > 0) this.#grow(segment, wanted, winners);
  }

  #adapt(segment: OracleSegment, previous: Set<number>, up: number, down: number): void {
    for (const synapse of segment.synapses) {
      const step = previous.has(synapse.source) ? Math.fround(up) : -Math.fround(down);
      synapse.permanence = Math.min(1, Math.max(0, Math.fround(synapse.permanence + step)));
    }
    segment.synapses = segment.synapses.filter((synapse) => synapse.permanence >= Math.fround(1e-6));
    if (segment.synapses.length === 0) this.#destroy(segment);
  }

  #destroy(segment: OracleSegment): void {
    this.#cells[segment.owner] = this.#cells[segment.owner].filter((other) => other !== segment);
  }

  #leastUsedCell(first: number): number {
    const column = this.#cells.slice(first, first + this.#p.cellsPerColumn);
    const least = Math.min(...column.map((segments) => segments.length));
    const tied = column.flatMap((segments, cell) => (segments.length === least ? [first + cell] : []));
    return tied[this.#random.below(tied.length)];
  }

  #create(cell: number, winners: readonly number[]): void {
    const wanted = Math.min(this.#p.maxNewSynapseCount, winners.length);
    if (wanted === 0) return;
    while (this.#cells[cell].length >= this.#p.maxSegmentsPerCell) {
      const oldest = Math.min(...this.#cells[cell].map((segment) => segment.lastUsed));
      const evicted = this.#cells[cell].find((segment) => segment.lastUsed === oldest);
      if (evicted) this.#destroy(evicted);
    }
    const segment: OracleSegment = { owner: cell, lastUsed: this.#iteration, synapses: [] };
    this.#cells[cell].push(segment);
    this.#grow(segment, wanted, winners);
  }

  #grow(segment: OracleSegment, wanted: number, winners: readonly number[]): void {
    const own = new Set(segment.synapses.map((synapse) => synapse.source));
    const candidates = winners.filter((cell) => !own.has(cell));
    let growing = Math.min(wanted, candidates.length);
    let overrun = segment.synapses.length + growing - this.#p.maxSynapsesPerSegment;
    for (; overrun > 0; overrun--) {
      let weakest = null;
      for (const synapse of segment.synapses) {
        if (winners.includes(synapse.source)) continue;
        const bound = weakest === null ? 2 : Math.fround(weakest.permanence - Math.fround(1e-6));
        if (synapse.permanence < bound) weakest = synapse;
      }
      if (weakest === null) break;
      segment.synapses = segment.synapses.filter((synapse) => synapse !== weakest);
    }
    growing = Math.min(growing, this.#p.maxSynapsesPerSegment - segment.synapses.length);
    for (; growing > 0; growing--) {
      const [source] = candidates.splice(this.#random.below(candidates.length), 1);
      segment.synapses.push({ source, permanence: Math.fround(this.#p.initialPermanence) });
    }
  }
}
