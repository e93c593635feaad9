import { pino } from 'pino';
import { Registry } from 'prom-client';
import type { DeadLetter, DeadLetters, Fate } from '../../bus/dead-letters.ts';
import { loadConfig } from '../../config/resolve.ts';
import { HtmEngineError } from '../../errors.ts';
import { openDeadLetters } from '../../open-bus.ts';
import { commandLineSettings, type ConfigOptions } from '../config-options.ts';
import { Output } from '../terminal/output.ts';
import { tableText } from '../terminal/table.ts';
import { countText } from '../terminal/text.ts';
import { UsageError } from '../usage-error.ts';

export type DeadLetterOptions = ConfigOptions & { readonly json?: boolean; readonly all?: boolean };

/** More are not looked at in one go: the dead queue holds no more. */
const MAX_LETTERS = 10_000;
const COLUMNS = [
  { title: 'id' },
  { title: 'died' },
  { title: 'queue' },
  { title: 'bytes', align: 'right' as const },
  { title: 'reason' },
];

/** Shows what there is, oldest first. */
export async function listDeadLetters(options: DeadLetterOptions): Promise<void> {
  const letters = await readAll(options);
  const output = Output.toStandardOutput();
  if (options.json === true) {
    await output.write(`${JSON.stringify(letters.map(summary), null, 2)}\n`);
    return;
  }
  if (letters.length === 0) process.stderr.write('There are no dead letters.\n');
  const rows = letters.map(({ id, diedAt, queue, body, reason }) => ({
    cells: [id, diedAt?.toISOString() ?? '-', queue, String(body.length), reason],
  }));
  await output.write(tableText(COLUMNS, rows, process.stdout));
}

/** Writes the body of one, as it came, to standard output. */
export async function showDeadLetter(id: string, options: DeadLetterOptions): Promise<void> {
  const letter = (await readAll(options)).find((one) => one.id === id);
  if (letter === undefined) throw unknown([id]);
  const output = Output.toStandardOutput();
  if (options.json !== true) {
    await output.write(letter.body.toString());
    return;
  }
  const body = { ...summary(letter), bodyBase64: letter.body.toString('base64') };
  await output.write(`${JSON.stringify(body, null, 2)}\n`);
}

/** Puts some, or all, back to the end of the queues they came from. */
export async function replayDeadLetters(ids: readonly string[], options: DeadLetterOptions): Promise<void> {
  const replayed = await decide(ids, options, 'replay');
  await report(replayed, options, 'replayed');
  if (replayed === 0) return;
  process.stderr.write(
    'They come after everything that was sent meanwhile: samples whose metric has a newer row by now are refused as "older"\n' +
      '(htmengine_refused_samples_total), and what still cannot be read comes back here.\n',
  );
}

/** Throws some, or all, away. */
export async function dropDeadLetters(ids: readonly string[], options: DeadLetterOptions): Promise<void> {
  await report(await decide(ids, options, 'drop'), options, 'dropped');
}

async function decide(ids: readonly string[], options: DeadLetterOptions, fate: Fate): Promise<number> {
  if ((options.all === true) === ids.length > 0) throw new UsageError('give ids, or --all');
  const wanted = new Set(ids);
  let done = 0;
  await withDeadLetters(options, (letters) =>
    letters.visit(MAX_LETTERS, ({ id }) => {
      if (options.all !== true && !wanted.delete(id)) return 'keep';
      done += 1;
      return fate;
    }),
  );
  if (wanted.size > 0) throw unknown([...wanted]);
  return done;
}

async function readAll(options: DeadLetterOptions): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  await withDeadLetters(options, (letters) =>
    letters.visit(MAX_LETTERS, (letter) => {
      found.push(letter);
      return 'keep';
    }),
  );
  return found;
}

async function withDeadLetters(
  options: DeadLetterOptions,
  use: (letters: DeadLetters) => Promise<unknown>,
): Promise<void> {
  const { bus } = loadConfig(commandLineSettings(options));
  const letters = await openDeadLetters(bus, { log: pino({ level: 'silent' }), registry: new Registry() });
  try {
    await use(letters);
  } finally {
    await letters.close();
  }
}

function summary({ id, diedAt, queue, contentType, body, reason }: DeadLetter): object {
  return { id, diedAt: diedAt?.toISOString() ?? null, queue, contentType, bytes: body.length, reason };
}

async function report(count: number, { json }: DeadLetterOptions, what: string): Promise<void> {
  const text = json === true ? JSON.stringify({ [what]: count }) : `${countText(count, 'message')} ${what}.`;
  await Output.toStandardOutput().write(`${text}\n`);
}

function unknown(ids: readonly string[]): HtmEngineError {
  return new HtmEngineError(
    'invalid_argument',
    `no dead letter has the id ${ids.join(', ')}: "htmengine dead-letters list" tells what there is`,
  );
}
