/**
 * The benchmark's range rule: a value is anomalous when it lies more than a twentieth of the range of all earlier
 * values outside that range. Model reference, section 7.7.
 */
export class RangeRule {
  #min = Infinity;
  #max = -Infinity;

  /** Whether `value` (finite) is outside; then takes it into the range. The first values are never outside. */
  next(value: number): boolean {
    const tolerance = 0.05 * (this.#max - this.#min);
    const outside = this.#max > this.#min && (value > this.#max + tolerance || value < this.#min - tolerance);
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
    return outside;
  }
}
