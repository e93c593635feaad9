import { EngineClient } from '../../client/engine-client.ts';
import { resultEvents, type StreamEvent } from '../../client/result-stream.ts';
import type { ResultJson } from '../../client/types.ts';
import { isPattern, nameFilter } from '../metrics/selection.ts';
import { toneOf } from '../metrics/state.ts';
import { Output } from '../terminal/output.ts';
import { tinted } from '../terminal/table.ts';
import { isoText, printable, shortNumber, utcText } from '../terminal/text.ts';
import type { ResultsOptions } from './results.ts';

/** More names than these are not put into the address of the stream: their results are picked out here. */
const NAMES_IN_ADDRESS = 20;
const TIME_WIDTH = 19;
const NAME_WIDTH = 32;
const VALUE_WIDTH = 12;

/** Prints results as they are scored, until the command is interrupted or nobody reads. */
export async function followResults(args: readonly string[], options: ResultsOptions): Promise<void> {
  const { http } = new EngineClient(options.url, options);
  const end = new AbortController();
  const interrupt = () => end.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  const named = args.length <= NAMES_IN_ADDRESS && !args.some((argument) => isPattern(argument, options));
  const { minLikelihood } = options;
  const isWanted = nameFilter(args, options);
  const printer = new Printer(options.json === true);
  try {
    const events = resultEvents(http, {
      metrics: named ? args : [],
      ...(minLikelihood !== undefined && { minLogLikelihood: minLikelihood }),
      signal: end.signal,
    });
    for await (const event of events) {
      if (event.type !== 'result') printer.notice(event);
      else if (isWanted(event.result.name)) await printer.result(event.result);
    }
  } finally {
    end.abort();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

/** Results go to standard output, what happens to the connection to standard error. */
class Printer {
  readonly #json: boolean;
  readonly #output = Output.toStandardOutput();
  #isFirst = true;
  #disconnected = false;

  constructor(json: boolean) {
    this.#json = json;
  }

  async result(result: ResultJson): Promise<void> {
    if (this.#json) await this.#output.write(`${JSON.stringify(result)}\n`);
    else if (!process.stdout.isTTY) await this.#output.write(plainLine(result));
    else await this.#output.write(`${this.#isFirst ? heading() : ''}${terminalLine(result)}`);
    this.#isFirst = false;
  }

  notice(event: Exclude<StreamEvent, { type: 'result' }>): void {
    switch (event.type) {
      case 'connected':
        if (this.#disconnected) this.#say('connected again');
        else if (process.stdout.isTTY && !this.#json) this.#say('waiting for results; Ctrl-C ends');
        this.#disconnected = false;
        break;
      case 'disconnected':
        this.#disconnected = true;
        this.#say(`the connection is gone, trying again (${event.reason})`);
        break;
      case 'reset':
        this.#say(`some results may be missing here (${event.reason})`);
        break;
    }
  }

  #say(text: string): void {
    process.stderr.write(`htmengine: ${printable(text)}\n`);
  }
}

function heading(): string {
  const titles = `${'time (UTC)'.padEnd(TIME_WIDTH)}  ${'metric'.padEnd(NAME_WIDTH)} ${'value'.padStart(VALUE_WIDTH)}  score`;
  return `${tinted('dim', titles, process.stdout)}\n`;
}

function terminalLine({ name, timestamp, value, logLikelihood }: ResultJson): string {
  const columns = [
    `${utcText(timestamp)} `,
    printable(name).padEnd(NAME_WIDTH),
    `${shortNumber(value).padStart(VALUE_WIDTH)} `,
    logLikelihood.toFixed(3),
  ];
  return `${tinted(toneOf(logLikelihood), columns.join(' '), process.stdout)}\n`;
}

function plainLine({ name, timestamp, value, logLikelihood }: ResultJson): string {
  return `${[isoText(timestamp), printable(name), value, logLikelihood].join('\t')}\n`;
}
