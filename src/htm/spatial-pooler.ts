import { ArenaFormatError } from './arena.ts';
import type { Arena, SectionSpec } from './arena.ts';
import { ColumnCompetition } from './column-competition.ts';
import { exp } from './numeric.ts';
import { PoolerBase, densityOf, winnerCountOf } from './pooler-base.ts';
import type { PoolerParameters } from './pooler-base.ts';
import { PoolerSynapses } from './pooler-synapses.ts';
import type { TypedArray } from './tables.ts';

/**
 * The spatial pooler: a fixed number of columns wins by overlap with the input and learns it. Model reference,
 * section 3, with global inhibition. All arithmetic is binary32.
 *
 * A column's overlap duty cycle begins at exactly 1 if it overlaps with the first record and stays there as long as
 * it overlaps, so only the columns that deviate are computed.
 */
export class SpatialPooler {
  /** Sections this component owns in the arena. */
  static schema(parameters: PoolerParameters): SectionSpec[] {
    const { columnCount, boostStrength } = parameters;
    const boosted = boostStrength === 0 ? 0 : columnCount;
    return [
      { name: 'poolerBaseDigest', type: 'u32', length: 2 },
      { name: 'poolerIteration', type: 'u32', length: 1 },
      { name: 'poolerMinOverlapDuty', type: 'f32', length: 1 },
      { name: 'poolerOverlapDuty', type: 'f32', length: columnCount },
      { name: 'poolerActiveDuty', type: 'f32', length: boosted },
      { name: 'poolerBoosts', type: 'f32', length: boosted },
      ...PoolerSynapses.schema(columnCount),
    ];
  }

  /** A new pooler over the zeroed sections `firstSection`, ... of `arena`. */
  static create(
    arena: Arena,
    firstSection: number,
    inputCount: number,
    parameters: PoolerParameters,
  ): SpatialPooler {
    const pooler = new SpatialPooler(arena, firstSection, inputCount, parameters);
    pooler.#baseDigest.set(pooler.#base.digest);
    pooler.#boosts.fill(1);
    return pooler;
  }

  /**
   * The pooler whose state is in the sections `firstSection`, ... of a loaded `arena`.
   * @throws ArenaFormatError when it is not a state this pooler can have.
   */
  static attach(
    arena: Arena,
    firstSection: number,
    inputCount: number,
    parameters: PoolerParameters,
  ): SpatialPooler {
    const pooler = new SpatialPooler(arena, firstSection, inputCount, parameters);
    pooler.#checkState();
    return pooler;
  }

  /** The last record's winners, ascending: the first `compute(...)` of them. */
  readonly winners: Uint16Array;

  readonly #parameters: PoolerParameters;
  readonly #base: PoolerBase;
  readonly #synapses: PoolerSynapses;
  readonly #competition: ColumnCompetition;
  /** Per column a bit: its overlap duty cycle is not exactly 1. */
  readonly #deviating: Int32Array;
  #baseDigest!: Uint32Array;
  #iteration!: Uint32Array;
  #minOverlapDuty!: Float32Array;
  #overlapDuty!: Float32Array;
  #activeDuty!: Float32Array;
  #boosts!: Float32Array;

  private constructor(arena: Arena, firstSection: number, inputCount: number, parameters: PoolerParameters) {
    this.#parameters = parameters;
    this.#base = PoolerBase.of(inputCount, parameters);
    this.#competition = competitionFor(parameters.columnCount, inputCount);
    this.winners = new Uint16Array(winnerCountOf(parameters));
    this.#deviating = new Int32Array(this.#base.columnWords);
    arena.part(firstSection, (part) => {
      this.#baseDigest = part.view(0);
      this.#iteration = part.view(1);
      this.#minOverlapDuty = part.view(2);
      this.#overlapDuty = part.view(3);
      this.#activeDuty = part.view(4);
      this.#boosts = part.view(5);
    });
    this.#synapses = new PoolerSynapses(
      arena,
      firstSection + OWN_SECTIONS,
      this.#base,
      parameters.stimulusThreshold,
    );
    for (let column = 0; column < parameters.columnCount; column++) {
      if (this.#overlapDuty[column] !== 1) this.#deviating[column >>> 5] |= 1 << column;
    }
  }

  /** The tables it holds outside the arena, and not shared. */
  tables(): TypedArray[] {
    return [this.winners, this.#deviating, ...this.#synapses.tables()];
  }

  /** Columns that have learned. */
  get learnedColumnCount(): number {
    return this.#synapses.rowCount;
  }

  /** A column's inputs, ascending; for tests and inspection. */
  pool(column: number): Uint16Array {
    const { poolInputs, poolSize } = this.#base;
    return poolInputs.slice(column * poolSize, (column + 1) * poolSize);
  }

  /** A column's permanences in the order of its pool; for tests and inspection. */
  permanences(column: number): Float32Array {
    return this.#synapses.permanencesOf(column);
  }

  /** The inputs a column is connected to, ascending; for tests and inspection. */
  connectedInputs(column: number): number[] {
    return this.#synapses.connectedInputsOf(column);
  }

  /**
   * One record, of which `onInputs[0..count)` are the inputs that are on.
   * @returns how many columns won; they are in `winners`.
   */
  compute(onInputs: Uint16Array, count: number, learn: boolean): number {
    const { boostStrength, stimulusThreshold } = this.#parameters;
    this.#iteration[0]++;
    this.#competition.countOverlaps(this.#synapses.connected, onInputs, count);
    const isBoosted = learn && boostStrength !== 0;
    const wanted = this.winners.length;
    const winnerCount = isBoosted
      ? this.#competition.bestBoosted(wanted, stimulusThreshold, this.#boosts, this.winners)
      : this.#competition.best(wanted, stimulusThreshold, this.winners);
    if (!learn) return winnerCount;
    for (let i = 0; i < winnerCount; i++) this.#synapses.learn(this.winners[i], onInputs, count);
    this.#updateOverlapDuty();
    if (isBoosted) this.#updateBoosts(winnerCount);
    if (this.#iteration[0] % UPDATE_PERIOD === 0) this.#updateMinOverlapDuty();
    return winnerCount;
  }

  /** Also lifts the columns that have become too weak, since those are among the ones that deviate. */
  #updateOverlapDuty(): void {
    const period = Math.min(this.#parameters.dutyCyclePeriod, this.#iteration[0]);
    const least = this.#minOverlapDuty[0];
    const columnCount = this.#parameters.columnCount;
    for (let w = 0; w < this.#deviating.length; w++) {
      const overlapping = this.#competition.overlapping(w);
      let left = this.#deviating[w] | ~overlapping;
      if (left === 0) continue;
      let stillDeviating = 0;
      for (; left !== 0; left &= left - 1) {
        const bit = 31 - Math.clz32(left & -left);
        const column = (w << 5) + bit;
        if (column >= columnCount) break;
        const duty = dutyAfter(this.#overlapDuty[column], (overlapping >>> bit) & 1, period);
        this.#overlapDuty[column] = duty;
        if (duty !== 1) stillDeviating |= 1 << bit;
        if (duty < least) this.#synapses.lift(column);
      }
      this.#deviating[w] = stillDeviating;
    }
  }

  #updateBoosts(winnerCount: number): void {
    const { columnCount, boostStrength, dutyCyclePeriod } = this.#parameters;
    const period = Math.min(dutyCyclePeriod, this.#iteration[0]);
    const strength = Math.fround(boostStrength);
    const target = densityOf(this.#parameters);
    let winner = 0;
    for (let column = 0; column < columnCount; column++) {
      const won = winner < winnerCount && this.winners[winner] === column;
      if (won) winner++;
      const duty = dutyAfter(this.#activeDuty[column], won ? 1 : 0, period);
      this.#activeDuty[column] = duty;
      this.#boosts[column] = exp(Math.fround(Math.fround(target - duty) * strength));
    }
  }

  #updateMinOverlapDuty(): void {
    let most = 0;
    for (const duty of this.#overlapDuty) if (duty > most) most = duty;
    this.#minOverlapDuty[0] = Math.fround(this.#parameters.minPctOverlapDutyCycle) * most;
  }

  #checkState(): void {
    const [a, b] = this.#base.digest;
    if (this.#baseDigest[0] !== a || this.#baseDigest[1] !== b)
      throw new ArenaFormatError('spatial pooler: saved over other pools and initial permanences');
    for (const shares of [this.#minOverlapDuty, this.#overlapDuty, this.#activeDuty]) {
      for (const share of shares)
        if (!(share >= 0 && share <= 1)) throw new ArenaFormatError(`spatial pooler: duty cycle ${share}`);
    }
    for (const boost of this.#boosts)
      if (!(boost >= 0 && boost < Infinity)) throw new ArenaFormatError(`spatial pooler: boost ${boost}`);
  }
}

function dutyAfter(duty: number, event: number, period: number): number {
  return Math.fround(Math.fround(Math.fround(duty * (period - 1)) + event) / period);
}

/** The process's competition for pools of one shape: the last one made is kept, as models mostly are alike. */
function competitionFor(columnCount: number, inputCount: number): ColumnCompetition {
  if (lastCompetition.columnCount !== columnCount || lastCompetition.inputCount !== inputCount) {
    lastCompetition = {
      columnCount,
      inputCount,
      competition: new ColumnCompetition(columnCount, inputCount),
    };
  }
  return lastCompetition.competition;
}

let lastCompetition = { columnCount: 0, inputCount: 0, competition: new ColumnCompetition(0, 0) };
const OWN_SECTIONS = 6;
const UPDATE_PERIOD = 50;
