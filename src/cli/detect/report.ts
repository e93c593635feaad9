import { styleText } from 'node:util';
import type { ValueRange } from '../../generation.ts';
import type { BadRows } from '../../csv/bad-rows.ts';
import { isoText, shortNumber, utcText } from '../terminal/text.ts';
import { LEARNING_ROWS } from '../../detect/detector.ts';
import { LEAST_ANOMALY_SCORE, type Moment } from './moments.ts';

/** What there is to say about a run. */
export interface Summary {
  readonly name: string;
  readonly timestampColumn: string;
  readonly valueColumn: string;
  readonly variant: string;
  readonly range: ValueRange;
  /** Whether the user gave it; otherwise it is that of all rows, a fifth wider on each side. */
  readonly rangeGiven: boolean;
  readonly resolution: number;
  readonly rows: number;
  readonly badRows: BadRows;
  readonly moments: readonly Moment[];
}

/** The summary for programs: JSON with its line end. */
export function summaryJson(summary: Summary): string {
  const { badRows, moments, rows, ...settings } = summary;
  return `${JSON.stringify(
    {
      ...settings,
      rows,
      learningRows: Math.min(rows, LEARNING_ROWS),
      badRows: { count: badRows.count, examples: badRows.examples },
      moments: moments.map((moment) => ({ time: isoText(moment.timestampSeconds), ...moment })),
    },
    null,
    2,
  )}\n`;
}

/** What was run, in one line. */
export function settingsText({ variant, range, rangeGiven, resolution, rows }: Summary): string {
  const origin = rangeGiven ? 'as given' : 'that of all rows, widened';
  return `${rows.toLocaleString('en')} rows, variant ${variant}, range ${shortNumber(range.min)} to ${shortNumber(range.max)} (${origin}), resolution ${shortNumber(resolution)}`;
}

/** The summary for people: lines with a table of the moments. */
export function summaryText(summary: Summary, stream: NodeJS.WritableStream): string {
  const { name, timestampColumn, valueColumn, badRows, moments, rows } = summary;
  const lines = [`${name}: ${valueColumn} over ${timestampColumn}`, settingsText(summary)];
  if (badRows.count > 0) {
    lines.push(`${badRows.count} bad ${badRows.count === 1 ? 'row' : 'rows'} left out:`);
    lines.push(...badRows.examples.map(({ line, reason }) => `  line ${line}: ${reason}`));
    if (badRows.count > badRows.examples.length)
      lines.push(`  and ${badRows.count - badRows.examples.length} more`);
  }
  lines.push('');
  if (moments.length > 0) lines.push('Most anomalous moments', ...momentTable(moments, stream));
  else if (rows > LEARNING_ROWS)
    lines.push(`Nothing stands out: no anomaly score is above ${LEAST_ANOMALY_SCORE}.`);
  else
    lines.push(
      `Still learning: ${rows} of ${LEARNING_ROWS} rows. There are raw scores, but no anomaly scores yet.`,
    );
  return `${lines.join('\n')}\n`;
}

function momentTable(moments: readonly Moment[], stream: NodeJS.WritableStream): string[] {
  const head = ['time (UTC)', 'line', 'value', 'raw score', 'anomaly score', 'log-likelihood', ''];
  const table = [head, ...moments.map(cells)];
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table.map((row, i) => {
    const text = row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  ');
    const level = moments[i - 1]?.level ?? 'green';
    return level === 'green' ? text.trimEnd() : styleText(level, text, { stream });
  });
}

function cells(moment: Moment): string[] {
  const { timestampSeconds, line, value, rawScore, anomalyScore, logLikelihood, level } = moment;
  return [
    utcText(timestampSeconds),
    String(line),
    String(value),
    rawScore.toFixed(3),
    anomalyScore.toFixed(7),
    logLikelihood.toFixed(3),
    level === 'green' ? '' : level,
  ];
}
