/** The process that holds a fleet of models; `model-fleet.ts` looks at it from outside. */
import { readFileSync } from 'node:fs';
import { AnomalyModel } from '../src/htm/index.ts';

/** To add `models` models, of these trained ones (none: those of the request before) in turn. */
export interface FleetRequest {
  readonly states: readonly TrainedState[];
  readonly models: number;
}

interface TrainedState {
  readonly file: string;
  readonly seconds: readonly number[];
  readonly values: readonly number[];
}

/** Sent once they are loaded and have run some rows. */
export interface FleetReport {
  /** What the models just added say they take. */
  readonly claimedBytes: number;
}

/** So that a model has made what it makes when it first runs and grows. */
const ROWS_RUN = 20;

const fleet: AnomalyModel[] = [];
let states: readonly TrainedState[] = [];

process.on('message', ({ states: given, models }: FleetRequest) => {
  if (given.length > 0) states = given;
  const before = fleet.length;
  while (fleet.length < before + models) addModel(fleet.length);
  globalThis.gc?.();
  const report: FleetReport = {
    claimedBytes: fleet.slice(before).reduce((sum, model) => sum + model.byteLength, 0),
  };
  process.send?.(report);
});

function addModel(index: number): void {
  const trained = states[index % states.length];
  if (trained === undefined) throw new Error('there are no trained models to load');
  const { file, seconds, values } = trained;
  const model = AnomalyModel.from(readFileSync(file));
  for (const [row, value] of values.slice(0, ROWS_RUN).entries()) model.run(seconds[row] ?? NaN, value);
  fleet.push(model);
}
