import { rawAnomalyScore } from './anomaly-score.ts';
import { Arena, ArenaFormatError } from './arena.ts';
import type { SectionSpec } from './arena.ts';
import { BacktrackingMemory } from './backtracking-memory.ts';
import { SdrClassifier } from './classifier.ts';
import type { ClassifierParameters, Prediction } from './classifier.ts';
import { MultiEncoder, valueBucketCount } from './encoders/multi.ts';
import { ModelParameterError } from './parameter-reader.ts';
import { parseModelParameters } from './parameters.ts';
import type { ModelParameters } from './parameters.ts';
import { winnerCountOf } from './pooler-base.ts';
import { SpatialPooler } from './spatial-pooler.ts';
import { TemporalMemory } from './temporal-memory.ts';
import { freeTable, tableBytes } from './tables.ts';
import type { TypedArray } from './tables.ts';

/** Changes whenever equal parameters and records could give other scores or predictions than before. */
export const algorithmRevision = 1;

/**
 * A model of one scalar metric: learns from each record and says how unexpected it was. Model reference, section 9.
 *
 * All its state is in one arena; models of equal pooler parameters share one read-only base.
 */
export class AnomalyModel {
  /**
   * A new model.
   * @throws ModelParameterError if the parameters break a rule.
   */
  static create(parameters: ModelParameters): AnomalyModel {
    const checked = parseModelParameters(parameters);
    const text = new TextEncoder().encode(JSON.stringify(checked));
    const arena = Arena.create(ARENA_KIND, schemaOf(checked, text.length));
    return new AnomalyModel(arena, checked, text);
  }

  /**
   * The model whose `bytes()` these are; they are copied.
   * @throws ArenaFormatError if they are cut, of another revision, or not the state of a model.
   */
  static from(bytes: Uint8Array): AnomalyModel {
    const text = Arena.firstSection(bytes, ARENA_KIND, parametersSection(1, MAX_PARAMETERS_BYTES));
    const parameters = parametersFrom(text);
    const arena = Arena.from(bytes, ARENA_KIND, schemaOf(parameters, text.length));
    return new AnomalyModel(arena, parameters, null);
  }

  readonly parameters: ModelParameters;

  readonly #arena: Arena;
  readonly #encoders: MultiEncoder;
  readonly #pooler: SpatialPooler;
  readonly #memory: BacktrackingMemory | TemporalMemory;
  readonly #classifier: SdrClassifier | null;
  /** For the classifier: cells that are active. */
  readonly #activeCells: Uint32Array;
  #switches!: Uint32Array;
  #recordCount!: Float64Array;

  /** `parametersText`: of a new model, to be kept; null for a loaded one. */
  private constructor(arena: Arena, parameters: ModelParameters, parametersText: Uint8Array | null) {
    const { encoders, pooler, memory } = parameters;
    const how = parametersText ? 'create' : 'attach';
    this.parameters = parameters;
    this.#arena = arena;
    arena.part(0, (part) => {
      if (parametersText) part.view<Uint8Array>(0).set(parametersText);
      this.#switches = part.view(1);
      this.#recordCount = part.view(2);
    });
    let section = OWN_SECTIONS;
    this.#encoders = MultiEncoder[how](arena, section, encoders);
    section += MultiEncoder.schema(encoders).length;
    this.#pooler = SpatialPooler[how](arena, section, this.#encoders.width, pooler);
    section += SpatialPooler.schema(pooler).length;
    const { columnCount } = pooler;
    this.#memory =
      memory.variant === 'cpp'
        ? BacktrackingMemory[how](arena, section, { ...memory, columnCount })
        : TemporalMemory[how](arena, section, { ...memory, columnCount });
    section += memorySchema(parameters).length;
    const classifier = classifierParameters(parameters);
    this.#classifier = classifier && SdrClassifier[how](arena, section, classifier);
    this.#activeCells = new Uint32Array(classifier?.maxActiveCells ?? 0);
    if (parametersText) {
      this.#switches[REVISION] = algorithmRevision;
      this.#switches[LEARNING] = 1;
    } else {
      this.#checkState();
    }
  }

  /** Whether records change the model (on at first). Kept in `bytes()`. The encoder makes new buckets in any case. */
  get learning(): boolean {
    return this.#switches[LEARNING] === 1;
  }

  set learning(on: boolean) {
    this.#switches[LEARNING] = on ? 1 : 0;
  }

  /** Records run so far. */
  get recordCount(): number {
    return this.#recordCount[0];
  }

  /** Segments of the temporal memory, and their synapses. */
  get segmentCount(): number {
    return this.#memory.segmentCount;
  }

  get synapseCount(): number {
    return this.#memory.synapseCount;
  }

  /** Bytes the model takes in memory beyond what all models of its kind share. */
  get byteLength(): number {
    return this.#arena.byteLength + tableBytes(this.#tables());
  }

  /**
   * Gives the model's memory back at once; else the collector does, some time after nobody holds the model any more. The
   * model is gone then: nothing of it may be used.
   */
  release(): void {
    for (const table of this.#tables()) freeTable(table);
    this.#arena.release();
  }

  /**
   * One record.
   * @param timestampSeconds since 1970-01-01 UTC, finite.
   * @param value finite, or null or NaN for a missing value: none of the value's bits are on then.
   * @returns the raw anomaly score, 0..1: the share of the active columns that the model did not expect, a binary32 number.
   * @throws RangeError for an argument outside these rules (the model is unchanged); an error of a component
   * (`EncoderCapacityError`, `ClassifierCapacityError`) leaves the model unusable.
   */
  run(timestampSeconds: number, value: number | null): number {
    const x = value ?? NaN;
    if (!(Math.abs(timestampSeconds) <= MAX_TIMESTAMP_SECONDS))
      throw new RangeError(`timestamp ${timestampSeconds} must be between -/+ ${MAX_TIMESTAMP_SECONDS} s`);
    if (Math.abs(x) === Infinity)
      throw new RangeError('the value is infinite; null stands for a missing one');
    const learn = this.learning;
    const onBits = this.#encoders.encode(timestampSeconds, x);
    const winners = this.#pooler.compute(this.#encoders.onBits, onBits, learn);
    const unpredicted = this.#memory.compute(this.#pooler.winners, winners, learn, true);
    this.#recordCount[0]++;
    if (this.#classifier) this.#classify(this.#classifier, x, learn);
    return rawAnomalyScore(unpredicted, winners);
  }

  /** Forgets the sequence so far, not what was learned: the next record is the first of a new one. */
  reset(): void {
    this.#memory.reset();
  }

  /**
   * The most likely value `step` records after the last one; null if nothing is known.
   * @throws RangeError if the model does not predict so many records ahead.
   */
  bestPrediction(step: number): number | null {
    const { classifier, index } = this.#predictor(step);
    const best = classifier.bestPredictions[index];
    return Number.isNaN(best) ? null : best;
  }

  /**
   * The values most likely `step` records after the last one, at most 8, the most likely first.
   * @throws RangeError if the model does not predict so many records ahead.
   */
  predictions(step: number): Prediction[] {
    const { classifier, index } = this.#predictor(step);
    return classifier.predictions(index).filter(({ value }) => !Number.isNaN(value));
  }

  /** The complete state, fit for `AnomalyModel.from`: a copy. */
  bytes(): Uint8Array {
    return this.#arena.bytes();
  }

  /** A model of its own with the same state. */
  clone(): AnomalyModel {
    return AnomalyModel.from(this.bytes());
  }

  #classify(classifier: SdrClassifier, value: number, learn: boolean): void {
    const count = this.#memory.activeCells(this.#activeCells);
    classifier.compute(this.recordCount, this.#activeCells, count, this.#encoders.bucket, value, learn);
  }

  #predictor(step: number): { classifier: SdrClassifier; index: number } {
    const index = this.parameters.classifier?.steps.indexOf(step) ?? -1;
    if (!this.#classifier || index < 0) {
      const steps = this.parameters.classifier?.steps.join(', ') ?? 'none, the classifier is off';
      throw new RangeError(`no prediction ${step} records ahead; steps: ${steps}`);
    }
    return { classifier: this.#classifier, index };
  }

  #checkState(): void {
    const [revision, learning] = this.#switches;
    if (revision !== algorithmRevision)
      throw new ArenaFormatError(`algorithm revision ${revision} is not ${algorithmRevision}`);
    if (learning > 1) throw new ArenaFormatError(`learning switch is ${learning}, not 0 or 1`);
    if (!Number.isSafeInteger(this.recordCount) || this.recordCount < 0)
      throw new ArenaFormatError(`record count ${this.recordCount}`);
    const lastRecord = this.#classifier?.lastRecord ?? 0;
    if (lastRecord > this.recordCount)
      throw new ArenaFormatError(`the classifier has seen record ${lastRecord} of ${this.recordCount}`);
  }

  /** Those outside the arena. */
  #tables(): TypedArray[] {
    return [...this.#pooler.tables(), ...this.#memory.tables(), this.#activeCells];
  }
}

function schemaOf(parameters: ModelParameters, parametersBytes: number): SectionSpec[] {
  const { encoders, pooler } = parameters;
  return [
    parametersSection(parametersBytes, parametersBytes),
    { name: 'modelSwitches', type: 'u32', length: 2 },
    { name: 'modelRecordCount', type: 'f64', length: 1 },
    ...MultiEncoder.schema(encoders),
    ...SpatialPooler.schema(pooler),
    ...memorySchema(parameters),
    ...classifierSchema(parameters),
  ];
}

function parametersSection(length: number, maxLength: number): SectionSpec {
  return { name: 'modelParameters', type: 'u8', length, maxLength };
}

function memorySchema({ memory, pooler }: ModelParameters): SectionSpec[] {
  const { columnCount } = pooler;
  return memory.variant === 'cpp'
    ? BacktrackingMemory.schema({ ...memory, columnCount })
    : TemporalMemory.schema({ ...memory, columnCount });
}

function classifierSchema(parameters: ModelParameters): SectionSpec[] {
  const classifier = classifierParameters(parameters);
  return classifier ? SdrClassifier.schema(classifier) : [];
}

function classifierParameters({
  classifier,
  encoders,
  memory,
  pooler,
}: ModelParameters): ClassifierParameters | null {
  if (!classifier) return null;
  const { cellsPerColumn } = memory;
  return {
    ...classifier,
    cells: pooler.columnCount * cellsPerColumn,
    cellsPerColumn,
    maxActiveCells: winnerCountOf(pooler) * cellsPerColumn,
    maxBuckets: valueBucketCount(encoders),
  };
}

/** The parameters a model was saved with, which must be in the form it writes. */
function parametersFrom(bytes: Uint8Array): ModelParameters {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const parameters = parseModelParameters(JSON.parse(text));
    if (JSON.stringify(parameters) === text) return parameters;
  } catch (error) {
    if (error instanceof ModelParameterError)
      throw new ArenaFormatError(`saved parameters: ${error.message}`, { cause: error });
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
  }
  throw new ArenaFormatError('saved parameters: not the JSON text that a model writes');
}

const ARENA_KIND = 1;
const OWN_SECTIONS = 3;
const REVISION = 0;
const LEARNING = 1;
const MAX_PARAMETERS_BYTES = 65_536;
/** As `Date` has it. */
const MAX_TIMESTAMP_SECONDS = 8.64e12;
