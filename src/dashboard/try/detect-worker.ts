import { BadRows } from '../../csv/bad-rows.ts';
import type { Source } from '../../csv/source.ts';
import { CsvTable } from '../../csv/table.ts';
import { Detector, LEARNING_ROWS } from '../../detect/detector.ts';
import { findRange } from '../../detect/find-range.ts';
import { SeriesReader } from '../../detect/series-reader.ts';
import { DEFAULT_CEILING, resolutionFor } from '../../generation.ts';
import { MAX_ROWS, type News, type Order } from './messages.ts';

/** A web worker: scores a CSV file as the engine would, a row at a time, and tells what it finds as it goes. */

/** Rows are told together, this often. */
const TELL_MS = 200;
const FLAGS: Readonly<Record<string, string>> = { timestamp: 'the list “Time”', value: 'the list “Value”' };

/** As far as it is used here; the page's own types are those of a window. */
const scope = self as unknown as {
  onmessage: (event: { readonly data: Order }) => void;
  postMessage: (news: News) => void;
};

scope.onmessage = ({ data }) => {
  detect(data).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    // The command line's flags are lists here.
    const said = message.replaceAll(/--(timestamp|value)/g, (flag, name: string) => FLAGS[name] ?? flag);
    scope.postMessage({ type: 'problem', message: said });
  });
};

/** @throws HtmEngineError `invalid_argument` naming the file */
async function detect({ file, columns: names }: Order): Promise<void> {
  const source = sourceOf(file);
  scope.postMessage({ type: 'header', header: (await CsvTable.open(source)).header });
  const range = await findRange(source, names, new BadRows(true));
  const batch = new Batch();
  const reader = await SeriesReader.open(source, names, (bytes) => (batch.bytes += bytes));
  const { header, columns } = reader;
  scope.postMessage({
    type: 'series',
    time: header[columns.time] ?? '',
    value: header[columns.value] ?? '',
    ...range,
    learningRows: LEARNING_ROWS,
  });
  const detector = new Detector({ resolution: resolutionFor(range, null), ceiling: DEFAULT_CEILING });
  const badRows = new BadRows(true);
  let rows = 0;
  let cut = false;
  for await (const { timestampSeconds, value } of reader.rows(badRows)) {
    if (rows === MAX_ROWS) {
      cut = true;
      break;
    }
    const { logLikelihood } = detector.next(timestampSeconds, value);
    batch.add(timestampSeconds, value, ++rows > LEARNING_ROWS ? logLikelihood : null);
  }
  batch.tell();
  const [example] = badRows.examples;
  scope.postMessage({
    type: 'end',
    badRows: badRows.count,
    example: example === undefined ? null : `line ${example.line}: ${example.reason}`,
    cut,
  });
}

/** Rows that are scored and not told yet. */
class Batch {
  bytes = 0;
  #timestamps: number[] = [];
  #values: number[] = [];
  #scores: (number | null)[] = [];
  #toldAt = 0;

  add(timestamp: number, value: number, score: number | null): void {
    this.#timestamps.push(timestamp);
    this.#values.push(value);
    this.#scores.push(score);
    if (performance.now() - this.#toldAt >= TELL_MS) this.tell();
  }

  tell(): void {
    scope.postMessage({
      type: 'rows',
      timestamps: this.#timestamps,
      values: this.#values,
      scores: this.#scores,
      bytes: this.bytes,
    });
    [this.#timestamps, this.#values, this.#scores] = [[], [], []];
    this.#toldAt = performance.now();
  }
}

function sourceOf(file: File): Source {
  return {
    name: file.name,
    sizeBytes: file.size,
    read: (onBytes) => chunksOf(file, onBytes),
    close: () => Promise.resolve(),
  };
}

async function* chunksOf(file: File, onBytes?: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  const reader = file.stream().getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onBytes?.(value.length);
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}
