import { EngineProcess, temporaryDirectory, until } from './engine-process.ts';
import { connectTo } from './sender.ts';
import { seededRandom } from './series.ts';

export interface HostileOptions {
  readonly connections: number;
  readonly validLines: number;
  readonly malformedLines: number;
  readonly seed: number;
}

export interface HostileOutcome {
  readonly stored: number;
  readonly malformedSent: number;
  /** Counted as refused, and for which reasons. */
  readonly refused: number;
  readonly reasons: Readonly<Record<string, number>>;
  readonly residentHalfway: number;
  readonly residentAtEnd: number;
}

const HUGE_LINE_BYTES = 200_000;
const HALF = 2;

/**
 * Valid and malformed lines mixed over many connections in two halves, each half on connections of its own.
 * Every valid line has its own metric and time, so each is one row.
 */
export async function hostileRun(options: HostileOptions): Promise<HostileOutcome> {
  const directory = await temporaryDirectory();
  const engine = await EngineProcess.start(directory.path, { log: { level: 'error' } });
  try {
    const random = seededRandom(options.seed);
    const resident: number[] = [];
    for (let half = 1; half <= HALF; half++) {
      await sendHalf(engine, options, random, half);
      const expected = (options.validLines / HALF) * half;
      await until(
        'all valid lines to be stored',
        async () => (await storedRows(engine)) >= expected,
        120_000,
      );
      resident.push(await engine.residentBytes());
    }
    await until(
      'refusals to be counted',
      async () => (await engine.counter('htmengine_refused_samples_total')) >= options.malformedLines,
    );
    const { text } = await engine.request('GET', '/metrics');
    return {
      stored: await storedRows(engine),
      malformedSent: options.malformedLines,
      refused: await engine.counter('htmengine_refused_samples_total'),
      reasons: Object.fromEntries(
        [...text.matchAll(/htmengine_refused_samples_total\{reason="(\w+)"\} (\d+)/g)].map(
          ([, reason = '', count = '']): [string, number] => [reason, Number(count)],
        ),
      ),
      residentHalfway: resident[0] ?? 0,
      residentAtEnd: resident[1] ?? 0,
    };
  } finally {
    await engine.end('SIGKILL');
    await directory.remove();
  }
}

async function storedRows(engine: EngineProcess): Promise<number> {
  return (await engine.metrics()).reduce((sum, { rows }) => sum + rows, 0);
}

async function sendHalf(
  engine: EngineProcess,
  options: HostileOptions,
  random: () => number,
  half: number,
): Promise<void> {
  const { connections, validLines, malformedLines } = options;
  const valid = validLines / HALF / connections;
  const malformed = malformedLines / HALF / connections;
  const texts = Array.from({ length: connections }, (_, connection) => {
    const lines: Buffer[] = [];
    for (let i = 0; i < valid; i++) {
      lines.push(
        Buffer.from(
          `hostile.${half}.${connection} ${(random() * 100).toFixed(3)} ${1_600_000_000 + 60 * i}\n`,
        ),
      );
      if (i % Math.floor(valid / malformed) === 0 && lines.length - i - 1 < malformed)
        lines.push(malformedLine(random));
    }
    return Buffer.concat(lines);
  });
  await Promise.all(texts.map((text) => sendInPieces(engine.graphitePort, text, random)));
}

/** One line that no rule accepts, newline included and none before. */
function malformedLine(random: () => number): Buffer {
  const kind = Math.floor(random() * 6);
  if (kind === 0) {
    // Random bytes; 0xff makes sure that they are no UTF-8, and no line break or lone blank line is among them.
    const bytes = Array.from({ length: 1 + Math.floor(random() * 60) }, () => Math.floor(random() * 256));
    return Buffer.from([0xff, ...bytes.filter((byte) => byte !== 10 && byte !== 13), 10]);
  }
  if (kind === 1) return Buffer.from(`${'x'.repeat(Math.floor(5000 + random() * HUGE_LINE_BYTES))}\n`);
  const lines = [
    'half.a.line',
    'bad.number 12abc 1600000000',
    'not.finite NaN 1600000000',
    'too many words in this line 1 1600000000',
  ];
  return Buffer.from(`${lines[kind - 2] ?? ''}\n`);
}

/** Writes in pieces cut anywhere, so that lines arrive in halves. */
async function sendInPieces(port: number, text: Buffer, random: () => number): Promise<void> {
  const socket = await connectTo(port);
  socket.resume();
  const closed = new Promise((resolve) => socket.once('close', resolve));
  let at = 0;
  while (at < text.length) {
    const piece = text.subarray(at, at + 1 + Math.floor(random() * 8000));
    at += piece.length;
    if (!socket.write(piece)) await new Promise((resolve) => socket.once('drain', resolve));
  }
  socket.end();
  await closed;
}
