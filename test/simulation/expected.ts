import {
  AnomalyModel,
  displayValue,
  LikelihoodWithHistory,
  parseModelParameters,
  type LikelihoodParameters,
} from '../../src/htm/index.ts';
import type { Json } from '../../src/generation.ts';
import { ROWS, sampleOf } from './series.ts';

/** What a row must have come out with, whatever went wrong. */
export interface ExpectedRow {
  readonly rowid: number;
  readonly timestamp: number;
  readonly value: number;
  readonly rawAnomalyScore: number;
  readonly anomalyScore: number;
  readonly displayValue: number;
}

const known = new Map<string, readonly ExpectedRow[]>();

/** The rows of a generation of metric `metric` without an engine: model and likelihood, one row after the other. */
export function expectedRows(
  metric: number,
  startRowid: number,
  modelParams: string,
  likelihood: string,
): readonly ExpectedRow[] {
  const key = JSON.stringify([metric, startRowid, modelParams, likelihood]);
  const rows = known.get(key) ?? compute(metric, startRowid, modelParams, likelihood);
  known.set(key, rows);
  return rows;
}

function compute(
  metric: number,
  startRowid: number,
  modelParams: string,
  likelihoodText: string,
): readonly ExpectedRow[] {
  const model = AnomalyModel.create(parseModelParameters(JSON.parse(modelParams) as Json));
  const likelihood = new LikelihoodWithHistory(JSON.parse(likelihoodText) as LikelihoodParameters);
  return Array.from({ length: ROWS - startRowid + 1 }, (_, i) => {
    const rowid = startRowid + i;
    const { timestamp, value } = sampleOf(metric, rowid - 1);
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
