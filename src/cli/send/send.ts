import { EngineClient } from '../../client/engine-client.ts';
import type { SampleJson } from '../../client/types.ts';
import { Output } from '../terminal/output.ts';
import { countText, printable } from '../terminal/text.ts';
import { UsageError } from '../usage-error.ts';
import { GraphiteDestination, httpDestination, type Destination } from './destination.ts';
import { givenLine, givenValue, type GivenValue } from './given-values.ts';
import { batched, linesOf } from './lines.ts';

/** Flags of `send`. */
export interface SendOptions {
  readonly url: string;
  readonly token?: string;
  readonly json?: boolean;
  /** The metric of all values, which then come without a name. */
  readonly metric?: string;
  /** `host:port` to send Graphite lines to, instead of HTTP. */
  readonly graphite?: string;
}

const BATCH_LINES = 1000;
/** Values that come slowly, from a program that measures, are sent on after this. */
const BATCH_WAIT_MS = 200;
const KEPT_PROBLEMS = 1000;

/** Something that was typed, and its line, from 1. */
interface Given {
  readonly line: number;
  readonly value: GivenValue;
}

/**
 * Sends values from the command line, or lines of standard input as they come, and tells what was refused.
 * @throws UsageError
 */
export async function send(args: readonly string[], options: SendOptions): Promise<void> {
  const given =
    args.length === 0 || (args.length === 1 && args[0] === '-')
      ? fromStandardInput(options)
      : fromArguments(args, options);
  const destination =
    options.graphite === undefined
      ? httpDestination(new EngineClient(options.url, options))
      : await GraphiteDestination.open(options.graphite);
  const report = new SendReport(options.json === true);
  for await (const batch of batched(given, BATCH_LINES, BATCH_WAIT_MS)) {
    await sendBatch(batch, destination, report);
  }
  await destination.end();
  await report.finish(options.graphite === undefined ? 'stored' : 'sent');
}

async function sendBatch(
  batch: readonly Given[],
  destination: Destination,
  report: SendReport,
): Promise<void> {
  const samples: SampleJson[] = [];
  const lines: number[] = [];
  for (const { line, value } of batch) {
    if (value.sample === undefined) {
      report.refused(line, value.wrong);
    } else {
      samples.push(value.sample);
      lines.push(line);
    }
  }
  if (samples.length === 0) return;
  const refusals = await destination.send(samples);
  report.accepted += samples.length - refusals.length;
  for (const { position, reason } of refusals) report.refused(lines[position] ?? 0, reason);
}

/** What became of the values, told as it happens. */
class SendReport {
  accepted = 0;
  readonly #json: boolean;
  readonly #problems: { line: number; reason: string }[] = [];
  #refused = 0;

  constructor(json: boolean) {
    this.#json = json;
  }

  refused(line: number, reason: string): void {
    this.#refused++;
    process.exitCode = 1;
    if (!this.#json) process.stderr.write(`htmengine: value ${line}: ${printable(reason)}\n`);
    else if (this.#problems.length < KEPT_PROBLEMS) this.#problems.push({ line, reason });
  }

  async finish(what: string): Promise<void> {
    const { accepted } = this;
    const refused = this.#refused;
    const text = `${countText(accepted, 'value')} ${what}${refused === 0 ? '' : `, ${refused.toLocaleString('en')} refused`}\n`;
    const json = `${JSON.stringify({ accepted, refused, problems: this.#problems })}\n`;
    await Output.toStandardOutput().write(this.#json ? json : text);
  }
}

async function* fromArguments(args: readonly string[], { metric }: SendOptions): AsyncGenerator<Given> {
  if (metric !== undefined) {
    for (const [i, value] of args.entries()) yield { line: i + 1, value: givenValue(metric, value) };
    return;
  }
  const [name, value, time, ...more] = args;
  if (name === undefined || value === undefined || more.length > 0)
    throw new UsageError('give NAME VALUE [TIME], or --metric NAME and values, or lines on standard input');
  yield { line: 1, value: await Promise.resolve(givenValue(name, value, time)) };
}

async function* fromStandardInput({ metric }: SendOptions): AsyncGenerator<Given> {
  if (process.stdin.isTTY)
    process.stderr.write(
      `Reading lines of "${metric === undefined ? 'name ' : ''}value [time]" from the terminal; Ctrl-D ends.\n`,
    );
  let line = 0;
  for await (const text of linesOf(process.stdin as AsyncIterable<Uint8Array>)) {
    line++;
    const value = givenLine(text, metric);
    if (value !== null) yield { line, value };
  }
}
