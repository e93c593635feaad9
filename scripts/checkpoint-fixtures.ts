/**
 * Writes saved models of this program to test/fixtures/checkpoints/revision-N, for later versions to load: run it when
 * a version with a new revision of the algorithms, of the arena or of the checkpoint's own format is released
 * (docs/decisions/0011-old-checkpoints.md). What was released is never written again.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeCheckpoint } from '../src/checkpoints/codec.ts';
import { AnomalyModel, algorithmRevision, scalarAnomalyParameters } from '../src/htm/index.ts';
import { version } from '../src/version.ts';
import { seededRandom } from '../test/support/series.ts';

/** Rows before and after the saved model. */
const LEARNED_ROWS = 150;
const LATER_ROWS = 60;
const RANGE = { min: 0, max: 150 };

const KINDS = {
  cpp: scalarAnomalyParameters({ ...RANGE, variant: 'cpp' }),
  'cpp-at-its-ceiling': scalarAnomalyParameters({
    ...RANGE,
    variant: 'cpp',
    ceiling: { maxSegments: 600, maxSynapses: 1_000_000 },
  }),
  'tm-cpp': scalarAnomalyParameters({ ...RANGE, variant: 'tm_cpp' }),
  'tm-cpp-classifier': scalarAnomalyParameters({ ...RANGE, variant: 'tm_cpp', enableClassifier: true }),
};

const directory = join(import.meta.dirname, `../test/fixtures/checkpoints/revision-${algorithmRevision}`);
if (existsSync(directory)) {
  process.stderr.write(`${directory} is there already: remove it if no version with it was released yet\n`);
  process.exit(1);
}
mkdirSync(directory, { recursive: true });
for (const [index, [kind, parameters]] of Object.entries(KINDS).entries()) {
  const { timestamps, values } = series(20 + index);
  const name = {
    metricId: `${index}`.repeat(32),
    generation: 1,
    rowid: LEARNED_ROWS,
    revision: algorithmRevision,
  };
  const model = AnomalyModel.create(parameters);
  const rawScores: number[] = [];
  values.forEach((value, i) => {
    if (i === LEARNED_ROWS) {
      writeFileSync(join(directory, `${kind}.ckpt`), encodeCheckpoint(name, model.bytes()));
    }
    rawScores.push(model.run(timestamps[i] ?? NaN, value));
  });
  const fixture = { madeBy: version(), name, parameters, timestamps, values, rawScores };
  writeFileSync(join(directory, `${kind}.json`), `${JSON.stringify(fixture)}\n`);
  process.stdout.write(`${kind}\n`);
}

/** A short cycle that is learned soon, and now and then something else, so that scores differ from row to row. */
function series(seed: number): { timestamps: number[]; values: number[] } {
  const random = seededRandom(seed);
  const timestamps = Array.from({ length: LEARNED_ROWS + LATER_ROWS }, (_, i) => 1_600_000_200 + 300 * i);
  const values = timestamps.map((_, i) => {
    const usual = 60 + 40 * Math.sin((2 * Math.PI * i) / 12);
    return Math.round(100 * (random() < 0.15 ? 150 * random() : usual + 3 * random())) / 100;
  });
  return { timestamps, values };
}
