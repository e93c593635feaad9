import { exp } from '../numeric.ts';
import type { PoolerParameters } from '../pooler-base.ts';
import type { SpatialPooler } from '../spatial-pooler.ts';

const f32 = Math.fround;

/**
 * The rules of sections 3.3 to 3.6 of the model reference written down one by one, with every permanence and duty
 * cycle computed on every record: what the pooler, which leaves out all it can, is compared with.
 */
export class PlainPooler {
  readonly #p: PoolerParameters;
  readonly #pools: number[][];
  readonly #permanences: number[][];
  readonly #connected: boolean[][];
  readonly #overlapDuty: number[];
  readonly #activeDuty: number[];
  readonly #boosts: number[];
  #minOverlapDuty = 0;
  #iteration = 0;

  /** Begins with the pools and permanences of `pooler`, which must not have run yet. */
  constructor(pooler: SpatialPooler, parameters: PoolerParameters) {
    const columns = Array.from({ length: parameters.columnCount }, (_, column) => column);
    this.#p = parameters;
    this.#pools = columns.map((column) => [...pooler.pool(column)]);
    this.#permanences = columns.map((column) => [...pooler.permanences(column)]);
    this.#connected = this.#permanences.map((list) => list.map((p) => p >= this.#connectedFrom));
    this.#overlapDuty = columns.map(() => 0);
    this.#activeDuty = columns.map(() => 0);
    this.#boosts = columns.map(() => 1);
  }

  permanences(column: number): number[] {
    return this.#permanences[column];
  }

  connectedInputs(column: number): number[] {
    return this.#pools[column].filter((_, place) => this.#connected[column][place]);
  }

  compute(on: ReadonlySet<number>, learn: boolean): number[] {
    this.#iteration++;
    const overlaps = this.#pools.map(
      (pool, column) => pool.filter((input, place) => this.#connected[column][place] && on.has(input)).length,
    );
    const winners = this.#inhibit(overlaps.map((n, column) => (learn ? f32(n * this.#boosts[column]) : n)));
    if (learn) {
      for (const column of winners) this.#adapt(column, on);
      this.#updateDutyCycles(overlaps, winners);
      this.#bumpWeakColumns();
      this.#updateBoosts();
      if (this.#iteration % 50 === 0) {
        this.#minOverlapDuty = f32(f32(this.#p.minPctOverlapDutyCycle) * Math.max(...this.#overlapDuty));
      }
    }
    return winners;
  }

  #inhibit(scores: number[]): number[] {
    return scores
      .map((score, column) => ({ score, column }))
      .filter(({ score }) => score >= this.#p.stimulusThreshold)
      .sort((a, b) => b.score - a.score || b.column - a.column)
      .slice(0, Math.trunc(f32(this.#density * this.#p.columnCount)))
      .map(({ column }) => column)
      .sort((a, b) => a - b);
  }

  #adapt(column: number, on: ReadonlySet<number>): void {
    const inc = f32(this.#p.synPermActiveInc);
    const dec = f32(this.#p.synPermInactiveDec);
    this.#permanences[column] = this.#permanences[column].map((p, place) =>
      on.has(this.#pools[column][place]) ? f32(p + inc) : f32(p - dec),
    );
    this.#refresh(column, true);
  }

  #updateDutyCycles(overlaps: number[], winners: number[]): void {
    const period = Math.min(this.#p.dutyCyclePeriod, this.#iteration);
    const next = (duty: number, event: boolean) =>
      f32(f32(f32(duty * (period - 1)) + (event ? 1 : 0)) / period);
    overlaps.forEach((overlap, column) => {
      this.#overlapDuty[column] = next(this.#overlapDuty[column], overlap > 0);
      this.#activeDuty[column] = next(this.#activeDuty[column], winners.includes(column));
    });
  }

  #bumpWeakColumns(): void {
    this.#overlapDuty.forEach((duty, column) => {
      if (duty >= this.#minOverlapDuty) return;
      this.#permanences[column] = this.#permanences[column].map((p) => f32(p + this.#below));
      this.#refresh(column, false);
    });
  }

  #updateBoosts(): void {
    if (this.#p.boostStrength === 0) return;
    const strength = f32(this.#p.boostStrength);
    this.#activeDuty.forEach((duty, column) => {
      this.#boosts[column] = f32(exp(f32(f32(this.#density - duty) * strength)));
    });
  }

  #refresh(column: number, raise: boolean): void {
    let list = this.#permanences[column];
    if (raise) {
      list = list.map((p) => Math.min(Math.max(p, 0), 1));
      while (list.filter((p) => p >= this.#connectedFrom).length < this.#p.stimulusThreshold) {
        list = list.map((p) => f32(p + this.#below));
      }
    }
    this.#connected[column] = list.map((p) => p >= this.#connectedFrom);
    const trim = f32(f32(this.#p.synPermActiveInc) / 2);
    this.#permanences[column] = list.map((p) => (p > 1 ? 1 : p < trim || p < 0 ? 0 : p));
  }

  get #density(): number {
    const { numActiveColumns, localAreaDensity, columnCount } = this.#p;
    return numActiveColumns > 0 ? Math.min(f32(numActiveColumns / columnCount), 0.5) : f32(localAreaDensity);
  }

  get #connectedFrom(): number {
    return f32(f32(this.#p.synPermConnected) - f32(1e-6));
  }

  get #below(): number {
    return f32(f32(this.#p.synPermConnected) / 10);
  }
}
