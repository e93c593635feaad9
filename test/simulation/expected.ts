import {
  AnomalyModel,
  displayValue,
  LikelihoodWithHistory,
  parseModelParameters,
  type LikelihoodParameters,
} from '../../src/htm/index.ts';
import type { Json } from '../../src/generation.ts';
import { rowModes, RowMode, type ModelCommand } from '../../src/model-command.ts';
import { ROWS, sampleOf } from './series.ts';

/** What a row must have come out with, whatever went wrong. */
export interface ExpectedRow {
  readonly rowid: number;
  readonly timestamp: number;
  readonly value: number;
  /** All three are null for a row that was skipped. */
  readonly rawAnomalyScore: number | null;
  readonly anomalyScore: number | null;
  readonly displayValue: number | null;
}

/** Many simulations have the same. */
const MAX_KNOWN = 1000;
const known = new Map<string, readonly ExpectedRow[]>();

/** A generation as the store has it. */
export interface GenerationRow {
  readonly start_rowid: number;
  readonly model_params: string;
  readonly likelihood: string;
}

/** The rows of a generation of metric `metric` without an engine: model and likelihood, one row after the other. */
export function expectedRows(
  metric: number,
  generation: GenerationRow,
  commands: readonly ModelCommand[],
): readonly ExpectedRow[] {
  const { start_rowid: start, model_params: parameters, likelihood } = generation;
  const key = JSON.stringify([metric, start, parameters, likelihood, commands]);
  const rows = known.get(key) ?? compute(metric, generation, commands);
  if (known.size < MAX_KNOWN) known.set(key, rows);
  return rows;
}

function compute(
  metric: number,
  generation: GenerationRow,
  commands: readonly ModelCommand[],
): readonly ExpectedRow[] {
  const model = AnomalyModel.create(parseModelParameters(JSON.parse(generation.model_params) as Json));
  const likelihood = new LikelihoodWithHistory(JSON.parse(generation.likelihood) as LikelihoodParameters);
  const first = generation.start_rowid;
  const rowids = Int32Array.from({ length: ROWS - first + 1 }, (_, i) => first + i);
  const timestamps = Float64Array.from(rowids, (rowid) => sampleOf(metric, rowid - 1).timestamp);
  const modes = rowModes(commands, rowids, timestamps);
  return Array.from(rowids, (rowid, i) => {
    const { timestamp, value } = sampleOf(metric, rowid - 1);
    const mode = modes[i] ?? RowMode.NORMAL;
    if ((mode & RowMode.RESET_BEFORE) !== 0) model.reset();
    if ((mode & RowMode.SKIP) !== 0) {
      return { rowid, timestamp, value, rawAnomalyScore: null, anomalyScore: null, displayValue: null };
    }
    model.learning = (mode & RowMode.DO_NOT_LEARN) === 0;
    const rawAnomalyScore = model.run(timestamp, value);
    const anomalyScore = likelihood.next(value, rawAnomalyScore);
    return {
      rowid,
      timestamp,
      value,
      rawAnomalyScore,
      anomalyScore,
      displayValue: displayValue(anomalyScore),
    };
  });
}
