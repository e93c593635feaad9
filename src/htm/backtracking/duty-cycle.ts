import { pow } from '../numeric.ts';

/**
 * The duty cycle of a segment: how often it was right, averaged over a time that grows with the age of the memory in
 * tiers. Model reference, section 4.2.
 */

/** Iterations at which the averaging rate changes; every duty cycle is brought up to date there. */
export const DUTY_TIERS: readonly number[] = [100, 320, 1000, 3200, 10_000, 32_000, 100_000, 320_000];

/** Up to this iteration a duty cycle is the plain average of all positive activations. */
export const PLAIN_AVERAGE_UNTIL = 100;

/** The rate of the highest tier below `iteration` (above 100). */
export function dutyRate(iteration: number): number {
  return RATES[tierBelow(iteration)];
}

/** (1 - rate)^age for the rate in force at `iteration` (above 100), in binary64. */
export function dutyDecay(iteration: number, age: number): number {
  const tier = tierBelow(iteration);
  if (age >= REMEMBERED) return pow(1 - RATES[tier], age);
  const index = tier * REMEMBERED + age;
  const known = powers[index];
  if (known !== 0) return known;
  const power = pow(1 - RATES[tier], age);
  powers[index] = power;
  return power;
}

const RATES = Float32Array.of(0.0032, 0.001, 0.00032, 0.0001, 0.000032, 0.00001, 0.0000032, 0.000001);

/** Powers for ages below this are computed once per process (0: not yet). */
const REMEMBERED = 2048;
const powers = new Float64Array(RATES.length * REMEMBERED);

function tierBelow(iteration: number): number {
  let tier = 0;
  while (tier + 1 < DUTY_TIERS.length && DUTY_TIERS[tier + 1] < iteration) tier++;
  return tier;
}
