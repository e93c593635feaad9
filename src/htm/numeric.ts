/**
 * exp, log, pow and erfc in plain IEEE arithmetic and bit operations, so that scores do not depend on the `Math` of
 * a JavaScript engine. Errors: below 0.52 units in the last place for exp, log and pow (one unit where the result
 * is subnormal), relative 1e-15 for erfc down to underflow.
 *
 * Table-driven after P. T. P. Tang ("Table-driven implementation of the exponential/logarithm function in IEEE
 * floating-point arithmetic", ACM TOMS 1989, 1990): reduce to a small argument, look the rest up as an unevaluated
 * sum of two numbers, finish with a short series. The tables are worked out when the module is loaded, in integers.
 */

/** e to the power `x`. 0 and Infinity beyond the range of a number. */
export function exp(x: number): number {
  return expOfSum(x, 0);
}

/** Natural logarithm. -Infinity for 0, NaN for a negative number. */
export function log(x: number): number {
  if (!(x > 0) || x === Infinity) return x === 0 ? -Infinity : x < 0 ? NaN : x;
  return logAsSum(x);
}

/** `x` to the power `y` for `x >= 0` (NaN for a negative base, whatever the power). */
export function pow(x: number, y: number): number {
  if (y === 0 || x === 1) return 1;
  if (!(x >= 0) || y !== y) return NaN;
  if (x === 0 || x === Infinity) return (x === 0) === y > 0 ? 0 : Infinity;
  // |log x| is at least 2^-53 here, so such a power is out of range; it would also overflow in the exact product.
  if (Math.abs(y) > TWO_TO_64) return x > 1 === y > 0 ? Infinity : 0;
  const logarithm = logAsSum(x);
  const rest = low;
  const power = exactProduct(y, logarithm);
  return expOfSum(power, low + y * rest);
}

/**
 * Complementary error function, 2/sqrt(pi) times the integral of exp(-t^2) from `x` to infinity.
 *
 * Near 0 the Taylor series of erf; else the trapezoidal rule on the integral representation
 * erfc(x) = 2x/pi exp(-x^2) * integral over t >= 0 of exp(-t^2) / (t^2 + x^2), which converges geometrically once
 * the residue of its pole is taken into account (C. Chiarella and A. Reichel, "On the evaluation of integrals
 * related to the error function", Math. Comp. 1968).
 */
export function erfc(x: number): number {
  if (Math.abs(x) <= 0.5) return 1 - erfNearZero(x);
  if (x < 0) return 2 - erfc(-x);
  if (x > 28) return 0;
  const square = exactProduct(x, x);
  const gauss = expOfSum(-square, -low);
  let sum = 0.5 / square;
  for (let i = 0; i < NODES.length; i++) sum += NODE_WEIGHTS[i] / (NODES[i] + square);
  const integral = ((2 * STEP) / Math.PI) * x * sum * gauss;
  // The residue is below 1e-20 of the result from here on.
  return x > 4 ? integral : integral - 2 / (exp(((2 * Math.PI) / STEP) * x) - 1);
}

/** What the last function that says so left beside its result: result + low is the more exact value. */
let low = 0;

/** a + b; leaves its rounding error in `low` (Knuth). */
function exactSum(a: number, b: number): number {
  const sum = a + b;
  const addedToA = sum - a;
  low = a - (sum - addedToA) + (b - addedToA);
  return sum;
}

/** a * b; leaves its rounding error in `low` (Dekker). Both below 2^996. */
function exactProduct(a: number, b: number): number {
  const product = a * b;
  const scaledA = SPLITTER * a;
  const highA = scaledA - (scaledA - a);
  const lowA = a - highA;
  const scaledB = SPLITTER * b;
  const highB = scaledB - (scaledB - b);
  const lowB = b - highB;
  low = highA * highB - product + highA * lowB + lowA * highB + lowA * lowB;
  return product;
}

/** exp(x + rest), where |rest| is at most a few units in the last place of x. */
function expOfSum(x: number, rest: number): number {
  if (!(x < 710)) return x !== x ? NaN : Infinity;
  if (x < -746) return 0;
  // x = (64 exponent + index) * ln2/64 + r with |r| <= ln2/128; the first two products are exact.
  const steps = Math.round(x * STEPS_PER_UNIT);
  const reduced = exactSum(x - steps * STEP_HIGH, -steps * STEP_MIDDLE);
  const correction = low + rest - steps * STEP_LOW;
  const r = reduced + correction;
  const remainder = reduced - r + correction;
  const series = r * r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720)))));
  const index = steps & 63;
  const high = EXP_HIGH[index];
  const value = high + (EXP_LOW[index] + high * (r + (remainder + series)));
  return scale(value, (steps - index) / 64);
}

/** Logarithm of a positive finite number; leaves the rest in `low`. */
function logAsSum(x: number): number {
  let exponent = 0;
  if (x < LEAST_NORMAL) {
    x *= TWO_TO_54;
    exponent = -54;
  }
  bits.setFloat64(0, x);
  const highWord = bits.getUint32(0);
  exponent += (highWord >>> 20) - 1023;
  bits.setUint32(0, (highWord & 0xfffff) | ONE_HIGH_WORD);
  let m = bits.getFloat64(0);
  if (m > Math.SQRT2) {
    m /= 2;
    exponent++;
  }
  // x = 2^exponent (1 + f) 256/n, with n/256 near 1/m, so that f is small; its two halves are exact.
  const n = Math.round(256 / m);
  bits.setFloat64(0, m);
  bits.setUint32(4, 0);
  const coarse = bits.getFloat64(0);
  const f = exactSum((coarse * n) / 256 - 1, ((m - coarse) * n) / 256);
  const fRest = low;
  const square = exactProduct(f, f);
  const squareRest = low;
  const series =
    square * f * (1 / 3 - f * (1 / 4 - f * (1 / 5 - f * (1 / 6 - f * (1 / 7 - f * (1 / 8 - f / 9))))));
  let rest = exponent * LN2_LOW + LOG_LOW[n - LOG_FIRST] + (fRest - f * fRest - squareRest / 2 + series);
  let sum = exactSum(exponent * LN2_HIGH, LOG_HIGH[n - LOG_FIRST]);
  rest += low;
  sum = exactSum(sum, f);
  rest += low;
  sum = exactSum(sum, -square / 2);
  rest += low;
  return exactSum(sum, rest);
}

/** Taylor series of erf for |x| <= 1/2. */
function erfNearZero(x: number): number {
  const square = x * x;
  let sum = 0;
  for (let i = ERF_COEFFICIENTS.length - 1; i >= 0; i--) sum = sum * square + ERF_COEFFICIENTS[i];
  return x * sum;
}

/** value * 2^exponent for a value near 1, rounded once. */
function scale(value: number, exponent: number): number {
  if (exponent > 1023) return value * 2 * powerOfTwo(exponent - 1);
  if (exponent < -1022) return value * powerOfTwo(exponent + 128) * powerOfTwo(-128);
  return value * powerOfTwo(exponent);
}

/** 2^exponent for -1022 .. 1023. */
function powerOfTwo(exponent: number): number {
  bits.setUint32(0, (exponent + 1023) << 20);
  bits.setUint32(4, 0);
  return bits.getFloat64(0);
}

const bits = new DataView(new ArrayBuffer(8));
const ONE_HIGH_WORD = 0x3ff00000;
const SPLITTER = powerOfTwo(27) + 1;
const TWO_TO_54 = powerOfTwo(54);
const TWO_TO_64 = powerOfTwo(64);
const LEAST_NORMAL = powerOfTwo(-1022);

/** Fixed point with 128 binary places, for the tables. */
const UNIT = 1n << 128n;

/** ln((1 + t) / (1 - t)) for the fixed-point t, by the series of the inverse hyperbolic tangent. */
function logarithmOfRatio(t: bigint): bigint {
  const square = (t * t) / UNIT;
  let sum = 0n;
  let power = t;
  for (let k = 1n; power !== 0n; k += 2n) {
    sum += power / k;
    power = (power * square) / UNIT;
  }
  return 2n * sum;
}

/** e^t for the fixed-point t, by its series. */
function exponential(t: bigint): bigint {
  let sum = 0n;
  let term = UNIT;
  for (let k = 1n; term !== 0n; k++) {
    sum += term;
    term = (term * t) / UNIT / k;
  }
  return sum;
}

/** The fixed-point value as the nearest number and what remains. */
function asSum(value: bigint): readonly [high: number, low: number] {
  const high = Number(value);
  const unit = powerOfTwo(128);
  return [high / unit, Number(value - BigInt(high)) / unit];
}

/** The fixed-point value cut after `places` binary places. */
function cut(value: bigint, places: bigint): bigint {
  const unit = UNIT >> places;
  return (value / unit) * unit;
}

const LN2 = logarithmOfRatio(UNIT / 3n);
// Cut so that its product with any exponent (11 bits) is exact.
const [LN2_HIGH] = asSum(cut(LN2, 42n));
const [LN2_LOW] = asSum(LN2 - cut(LN2, 42n));

const LN2_STEP = LN2 / 64n;
const STEPS_PER_UNIT = 64 / Math.LN2;
// Cut so that their products with any number of steps (17 bits) are exact.
const [STEP_HIGH] = asSum(cut(LN2_STEP, 42n));
const [STEP_MIDDLE] = asSum(cut(LN2_STEP, 78n) - cut(LN2_STEP, 42n));
const [STEP_LOW] = asSum(LN2_STEP - cut(LN2_STEP, 78n));

/** 2^(index/64). */
const EXP_TABLE = Array.from({ length: 64 }, (_, index) => asSum(exponential(BigInt(index) * LN2_STEP)));
const EXP_HIGH = Float64Array.from(EXP_TABLE, ([high]) => high);
const EXP_LOW = Float64Array.from(EXP_TABLE, ([, rest]) => rest);

/** ln(256/n) for every n that 256/m can round to, m between the roots of 1/2 and 2. */
const LOG_FIRST = 181;
const LOG_TABLE = Array.from({ length: 363 - LOG_FIRST }, (_, i) => {
  const n = BigInt(LOG_FIRST + i);
  return asSum(logarithmOfRatio(((256n - n) * UNIT) / (256n + n)));
});
const LOG_HIGH = Float64Array.from(LOG_TABLE, ([high]) => high);
const LOG_LOW = Float64Array.from(LOG_TABLE, ([, rest]) => rest);

/** Trapezoidal step of erfc: the error is of order exp(-(pi/step)^2) = 2e-27; 16 nodes reach weights below 1e-17. */
const STEP = 0.4;
const NODES = Float64Array.from({ length: 16 }, (_, i) => (i + 1) * STEP * ((i + 1) * STEP));
const NODE_WEIGHTS = NODES.map((square) => exp(-square));

/** 2/sqrt(pi) (-1)^k / (k! (2k + 1)). */
const ERF_COEFFICIENTS = ((): Float64Array => {
  const coefficients = new Float64Array(13);
  let factor = 2 / Math.sqrt(Math.PI);
  for (let k = 0; k < coefficients.length; k++) {
    coefficients[k] = factor / (2 * k + 1);
    factor /= -(k + 1);
  }
  return coefficients;
})();
