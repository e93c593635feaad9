import { ArenaFormatError } from '../arena.ts';
import { EncoderCapacityError } from '../encoders/rdse.ts';
import { AnomalyModel } from '../model.ts';
import { Random } from '../random.ts';

/** One row of a series. */
export interface ModelRecord {
  readonly timestampSeconds: number;
  readonly value: number | null;
}

/** Something every model must do, whatever it is made of. `run` throws an error that says what went wrong. */
export interface ModelCheck {
  readonly name: string;
  readonly run: (makeModel: () => AnomalyModel, records: readonly ModelRecord[]) => void;
}

/**
 * What is expected of every kind of model. `makeModel` must give an equal new model each time; `records` should be
 * at least a hundred, with repetitions to be learned.
 */
export const modelChecks: readonly ModelCheck[] = [
  { name: 'seeded runs are equal', run: checkSeededRuns },
  { name: 'scores are shares, predictions are likely', run: checkRange },
  { name: 'saving and loading after any record changes nothing', run: checkSaveAndLoad },
  { name: 'a split run equals the whole run', run: checkSplitRun },
  { name: 'a clone is independent', run: checkClone },
  { name: 'a reset is forgotten by nobody', run: checkReset },
  { name: 'nothing is learned while learning is off', run: checkLearningOff },
  { name: 'a refused record changes nothing', run: checkRefusedRecord },
  { name: 'cut and padded bytes are refused', run: checkCutBytes },
  { name: 'bytes of other formats and revisions are refused', run: checkForeignBytes },
  { name: 'damaged bytes are refused or can be run', run: checkDamagedBytes },
];

function checkSeededRuns(makeModel: () => AnomalyModel, records: readonly ModelRecord[]): void {
  const [a, b] = [makeModel(), makeModel()];
  requireEqualScores(runAll(a, records), runAll(b, records));
  requireEqualBytes(a, b);
}

function checkRange(makeModel: () => AnomalyModel, records: readonly ModelRecord[]): void {
  const model = makeModel();
  for (const record of records) {
    const score = runOne(model, record);
    require(score >= 0 && score <= 1 && Math.fround(score) === score, `the score is ${score}`);
    for (const step of model.parameters.classifier?.steps ?? []) requirePredictions(model, step);
  }
  require(model.recordCount === records.length, `${model.recordCount} records were counted`);
}

function requirePredictions(model: AnomalyModel, step: number): void {
  const predictions = model.predictions(step);
  const total = predictions.reduce((sum, { likelihood }) => sum + likelihood, 0);
  require(total <= 1 + 1e-9 && predictions.length <= 8, `likelihoods of ${total} together`);
  const best = model.bestPrediction(step);
  require(best === null || Number.isFinite(best), `the best prediction is ${String(best)}`);
}

function checkSaveAndLoad(makeModel: () => AnomalyModel, records: readonly ModelRecord[]): void {
  const whole = makeModel();
  let interrupted = makeModel();
  records.forEach((record, i) => {
    const bytes = interrupted.bytes();
    interrupted = AnomalyModel.from(bytes);
    require(equal(bytes, interrupted.bytes()), `loading changed the bytes before record ${i}`);
    requireEqualScores([runOne(interrupted, record)], [runOne(whole, record)], i);
  });
  requireEqualBytes(interrupted, whole);
}

function checkSplitRun(makeModel: () => AnomalyModel, records: readonly ModelRecord[]): void {
  const whole = makeModel();
  const expected = runAll(whole, records);
  for (const at of [1, Math.floor(records.length / 3), records.length - 1]) {
    const first = makeModel();
    const scores = runAll(first, records.slice(0, at));
    const second = AnomalyModel.from(first.bytes());
    requireEqualScores([...scores, ...runAll(second, records.slice(at))], expected);
    requireEqualBytes(second, whole);
  }
}

function checkClone(makeModel: () => AnomalyModel, records: readonly ModelRecord[]): void {
  const half = Math.floor(records.length / 2);
  const model = makeModel();
  runAll(model, records.slice(0, half));
  const before = model.bytes();
  const clone = model.clone();
  require(equal(clone.bytes(), before), 'the clone differs');
  runAll(clone, records.slice(0, half).reverse());
  clone.reset();
  require(equal(model.bytes(), before), 'running the clone changed the model');
  const saved = clone.bytes();
  runAll(model, records.slice(half));
  require(equal(clone.bytes(), saved), 'running the model changed the clone');
}

function checkReset(makeModel: () => AnomalyModel, records: readonly ModelRecord[]): void {
  const half = Math.floor(records.length / 2);
  const [a, b] = [makeModel(), makeModel()];
  for (const model of [a, b]) {
    runAll(model, records.slice(0, half));
    model.reset();
  }
  const loaded = AnomalyModel.from(b.bytes());
  const first = runOne(a, records[half]);
  require(first === 1, `the first record of a sequence scored ${first}`);
  requireEqualScores([runOne(loaded, records[half])], [first], half);
  requireEqualScores(runAll(loaded, records.slice(half + 1)), runAll(a, records.slice(half + 1)));
}

function checkLearningOff(makeModel: () => AnomalyModel, records: readonly ModelRecord[]): void {
  const half = Math.floor(records.length / 2);
  const model = makeModel();
  require(model.learning, 'a new model does not learn');
  runAll(model, records.slice(0, half));
  model.learning = false;
  const { segmentCount, synapseCount } = model;
  const loaded = AnomalyModel.from(model.bytes());
  require(!loaded.learning, 'the switch was lost when saving');
  requireEqualScores(runAll(loaded, records.slice(half)), runAll(model, records.slice(half)));
  require(model.segmentCount === segmentCount &&
    model.synapseCount === synapseCount, 'segments or synapses changed');
  for (const one of [model, loaded]) one.learning = true;
  requireEqualScores(runAll(loaded, records.slice(half)), runAll(model, records.slice(half)));
}

function checkRefusedRecord(makeModel: () => AnomalyModel, records: readonly ModelRecord[]): void {
  const model = makeModel();
  runAll(model, records);
  const before = model.bytes();
  for (const [timestamp, value] of [
    [NaN, 1],
    [Infinity, 1],
    [0, Infinity],
    [0, -Infinity],
  ]) {
    requireThrows(RangeError, () => model.run(timestamp, value), `record (${timestamp}, ${value})`);
  }
  require(equal(model.bytes(), before), 'the model changed');
}

function checkCutBytes(makeModel: () => AnomalyModel, records: readonly ModelRecord[]): void {
  const model = makeModel();
  runAll(model, records);
  const bytes = model.bytes();
  const lengths = [0, 1, 15, 16, 27, 28, 200, bytes.length - 8, bytes.length - 1];
  const random = Random.seeded(1);
  while (lengths.length < 40) lengths.push(random.below(bytes.length));
  for (const length of lengths) requireRefused(bytes.slice(0, length), `the first ${length} bytes`);
  for (const surplus of [1, 8, 4096]) {
    const padded = new Uint8Array(bytes.length + surplus);
    padded.set(bytes);
    requireRefused(padded, `${surplus} more bytes`);
  }
}

function checkForeignBytes(makeModel: () => AnomalyModel, records: readonly ModelRecord[]): void {
  const model = makeModel();
  runAll(model, records);
  const bytes = model.bytes();
  const sections = new DataView(bytes.buffer).getUint32(12, true);
  // Magic, format, kind, number of sections; then each section's type, length and place.
  for (let word = 0; word < 4 + 3 * sections; word++) {
    for (const change of [1, 0x100, 0x80000000]) {
      const damaged = bytes.slice();
      const view = new DataView(damaged.buffer);
      view.setUint32(word * 4, (view.getUint32(word * 4, true) ^ change) >>> 0, true);
      requireRefused(damaged, `header word ${word} changed by ${change}`);
    }
  }
  requireRefused(new Uint8Array(bytes.length), 'zeros');
  requireRefused(new TextEncoder().encode('{"model":"HTMPrediction"}'), 'a JSON text');
}

/**
 * Bytes changed behind the header. Not every change can be told from a state that might be (a checkpoint file has a
 * checksum for that), but a model that was loaded must run.
 */
function checkDamagedBytes(makeModel: () => AnomalyModel, records: readonly ModelRecord[]): void {
  const model = makeModel();
  runAll(model, records);
  const bytes = model.bytes();
  const random = Random.seeded(2);
  for (let i = 0; i < DAMAGES; i++) {
    const damaged = bytes.slice();
    const at = random.below(bytes.length);
    const length = 1 + random.below(8);
    const fill = [0, 0xff, 0x80, random.below(256)][random.below(4)];
    damaged.fill(fill, at, at + length);
    requireRefusedOrSound(damaged, records, `bytes ${at}..${at + length - 1} set to ${fill}`);
  }
}

/** Makes sure that `bytes` are refused, or else give a model that runs `records` with scores that are shares. */
export function requireRefusedOrSound(
  bytes: Uint8Array,
  records: readonly ModelRecord[],
  what: string,
): void {
  let loaded: AnomalyModel;
  try {
    loaded = AnomalyModel.from(bytes);
  } catch (error) {
    require(error instanceof ArenaFormatError, `${what}: ${String(error)}`);
    return;
  }
  for (const record of records.slice(0, 30)) {
    const score = scoreOrNoRoom(loaded, record);
    if (score === null) return;
    require(score >= 0 && score <= 1, `${what}: accepted, and then scored ${score}`);
  }
}

/** The score; null where the encoder has no room for the value, as small ones do, and says so. */
export function scoreOrNoRoom(model: AnomalyModel, record: ModelRecord): number | null {
  try {
    return runOne(model, record);
  } catch (error) {
    if (error instanceof EncoderCapacityError) return null;
    throw error;
  }
}

function requireRefused(bytes: Uint8Array, what: string): void {
  requireThrows(ArenaFormatError, () => AnomalyModel.from(bytes), what);
}

function requireThrows(type: new (message: string) => Error, act: () => unknown, what: string): void {
  try {
    act();
  } catch (error) {
    require(error instanceof type && error.message.length > 10, `${what}: ${String(error)}`);
    return;
  }
  throw new Error(`${what}: accepted`);
}

function runAll(model: AnomalyModel, records: readonly ModelRecord[]): number[] {
  return records.map((record) => runOne(model, record));
}

function runOne(model: AnomalyModel, { timestampSeconds, value }: ModelRecord): number {
  return model.run(timestampSeconds, value);
}

function requireEqualScores(found: readonly number[], expected: readonly number[], first = 0): void {
  require(found.length === expected.length, `${found.length} scores, not ${expected.length}`);
  const differing = found.findIndex((score, i) => score !== expected[i]);
  require(differing <
    0, `record ${first + differing} scored ${found[differing]}, not ${expected[differing]}`);
}

function requireEqualBytes(a: AnomalyModel, b: AnomalyModel): void {
  require(equal(a.bytes(), b.bytes()), 'the states differ at the end');
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function require(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Error(otherwise);
}

const DAMAGES = 60;
