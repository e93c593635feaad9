/** One kind of metric as engines meet it: what its values are, row by row, without noise that its copies share. */
export interface Shape {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** The value of five-minute row `row`, from 0, for the metric whose own noise has that seed. */
  value(row: number, seed: number): number;
}

const ROWS_PER_DAY = 288;
const ROWS_PER_WEEK = 7 * ROWS_PER_DAY;
const VARIANTS = 4;

/** What is different between shapes of one kind. */
interface Variation {
  /** 0..1 of a day. */
  readonly phase: number;
  /** Of the noise, as a share of the range. */
  readonly noise: number;
  /** Half of the range. */
  readonly scale: number;
  readonly seed: number;
}

type Kind = (variation: Variation) => Omit<Shape, 'name'>;

/** 32 shapes: four variants each of eight kinds. Different phases, scales and noise; the same each time. */
export function fleetShapes(): Shape[] {
  return Object.entries(KINDS).flatMap(([kind, make], k) =>
    Array.from({ length: VARIANTS }, (_, v) => {
      const seed = 1 + k * VARIANTS + v;
      const variation = {
        phase: uniform(seed, 1),
        noise: 0.01 + 0.06 * uniform(seed, 2),
        scale: 10 ** (1 + 2 * uniform(seed, 3)),
        seed,
      };
      return { name: `${kind}-${v}`, ...make(variation) };
    }),
  );
}

const KINDS: Record<string, Kind> = {
  daily: ({ phase, noise, scale }) => ({
    ...range(scale),
    value: (row, seed) => scale * (1 + 0.8 * wave(row, phase) + noise * gaussian(seed, row)),
  }),
  weekly: ({ phase, noise, scale }) => ({
    ...range(scale),
    value: (row, seed) =>
      scale * (isWeekend(row) ? 0.4 : 1) * (1 + 0.7 * wave(row, phase) + noise * gaussian(seed, row)),
  }),
  officeHours: ({ phase, noise, scale }) => ({
    ...range(scale),
    value: (row, seed) =>
      scale * (wave(row, phase) > 0.2 && !isWeekend(row) ? 1.6 : 0.3) + scale * noise * gaussian(seed, row),
  }),
  noise: ({ noise, scale }) => ({
    ...range(scale),
    value: (row, seed) => scale * (1 + 4 * noise * gaussian(seed, row)),
  }),
  // Bytes since midnight, say: grows by about the same and begins again.
  counter: ({ phase, noise, scale }) => ({
    ...range(scale),
    value: (row, seed) => {
      const ofDay = (row / ROWS_PER_DAY + phase) % 1;
      return 2 * scale * ofDay + scale * noise * 0.2 * Math.abs(gaussian(seed, row));
    },
  }),
  constant: ({ scale }) => ({ ...range(scale), value: () => scale }),
  spikes: ({ noise, scale, seed: own }) => ({
    ...range(scale),
    value: (row, seed) =>
      // Every few hours a job runs for two rows; now and then a spike is the metric's own.
      row % (30 + own) < 2 || uniform(seed, row) < 0.002
        ? scale * (1.5 + 0.4 * uniform(seed + 1, row))
        : scale * (0.2 + noise * gaussian(seed, row)),
  }),
  steps: ({ noise, scale, seed: own }) => ({
    ...range(scale),
    value: (row, seed) =>
      scale * (0.4 + 1.2 * uniform(own, Math.floor(row / 500))) + scale * noise * gaussian(seed, row),
  }),
};

function range(scale: number): { min: number; max: number } {
  return { min: 0, max: 2 * scale };
}

function wave(row: number, phase: number): number {
  return Math.sin(2 * Math.PI * (row / ROWS_PER_DAY + phase));
}

function isWeekend(row: number): boolean {
  return row % ROWS_PER_WEEK >= 5 * ROWS_PER_DAY;
}

/** About normal with variance 1, -3..3: a function of both arguments, so that any row can be had without those before. */
function gaussian(seed: number, row: number): number {
  let sum = 0;
  for (let i = 0; i < 4; i++) sum += uniform(seed * 4 + i, row);
  return (sum - 2) * Math.sqrt(3);
}

/** 0..1, by hashing both arguments. */
function uniform(seed: number, row: number): number {
  let x = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(row + 1, 0x85ebca6b)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
}
