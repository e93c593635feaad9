import type { Bus } from './bus/bus.ts';
import { toSample, type RefusalReason, type Sample } from './metric.ts';

/** A sample as a program or an HTTP client gives it, not checked yet. */
export interface GivenSample {
  readonly name: string;
  readonly value: number;
  /** Epoch seconds, fractions allowed; missing or -1 means now. */
  readonly timestamp?: number;
}

/** What became of one given sample. `accepted` over a broker means that the broker keeps it. */
export type SampleOutcome =
  | { readonly accepted: true; readonly sample: Sample }
  | { readonly accepted: false; readonly reason: RefusalReason };

/** Counts refusals; the storer counts its own. */
export interface CountsRefusals {
  count(reason: RefusalReason, times?: number, example?: string): void;
}

/** The way in for samples that are values already (HTTP, the library): checks, publishes, tells each one's outcome in order. */
export type Intake = (given: readonly GivenSample[]) => Promise<SampleOutcome[]>;

/** @throws HtmEngineError `store_unavailable` or `stopped`: none of the valid samples was kept. */
export function createIntake(bus: Bus, refusals: CountsRefusals, nowSeconds: () => number): Intake {
  return async (given) => {
    const now = nowSeconds();
    const samples: Sample[] = [];
    const positions: number[] = [];
    const outcomes = given.map(({ name, value, timestamp }, position): SampleOutcome => {
      const { sample, refused } = toSample(name, value, timestamp, now);
      if (sample === undefined) {
        refusals.count(refused, 1, name);
        return { accepted: false, reason: refused };
      }
      samples.push(sample);
      positions.push(position);
      return { accepted: true, sample };
    });
    if (samples.length === 0) return outcomes;
    const receipt = await bus.publishSamples(samples);
    for (const { index, reason } of receipt.refused ?? []) {
      const position = positions[index];
      if (position !== undefined) outcomes[position] = { accepted: false, reason };
    }
    return outcomes;
  };
}
