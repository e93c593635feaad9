import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { HtmEngineError } from '../errors.ts';
import type { DetectOptions } from './detect/detect.ts';
import type { UpOptions } from './up.ts';

const EXAMPLES = `
Examples:
  htmengine up                                  run everything in this process, data in ./htmengine-data
  htmengine up --auto-monitor --collect-host    and watch this machine
  htmengine detect series.csv --out scored.csv --plot scored.html
  echo "my.metric 42 $(date +%s)" | nc -N 127.0.0.1 2003
  curl http://127.0.0.1:8080/api/v1/metrics
`;

/** The command line; each command loads what it needs. Resolves when the command has ended or, for services, has started; failures set the exit code. */
export async function run(argv: readonly string[]): Promise<void> {
  const program = new Command('htmengine')
    .description(
      'Learns what is usual for each of your metrics and tells you when one of them stops behaving.',
    )
    .version(version())
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(htmengine --help tells what there is)');

  program
    .command('up')
    .description('run all services in this process, on SQLite')
    .option('--config <file>', 'settings (YAML); flags win over it')
    .option('--data-dir <dir>', 'where the database and the models are kept (default: ./htmengine-data)')
    .option('--http-port <n>', 'HTTP port; 0 takes any free one (default: 8080)', parsePort)
    .option(
      '--graphite-port <n>',
      'Graphite plaintext port, TCP; 0 takes any free one (default: 2003)',
      parsePort,
    )
    .option('--auto-monitor', 'monitor every new metric by itself')
    .option('--collect-host', "feed this machine's own CPU, load, memory, disk and network in")
    .option('--log-level <level>', 'fatal, error, warn, info, debug, trace or silent (default: info)')
    .action(async (options: UpOptions) => (await import('./up.ts')).up(options));

  program
    .command('detect')
    .description('score the rows of a CSV file, without the engine')
    .argument('<file>', 'a header and rows, separated by commas; - is standard input')
    .option(
      '--timestamp <column>',
      'the time: epoch seconds or ISO 8601, UTC without an offset (default: guessed)',
    )
    .option('--value <column>', 'the number to watch (default: guessed)')
    .option(
      '--min <n>',
      'least value to expect; with --max the file is read once (default: from all rows)',
      parseNumber,
    )
    .option('--max <n>', 'greatest value to expect', parseNumber)
    .addOption(new Option('--variant <name>', 'temporal memory').choices(['cpp', 'tm_cpp']).default('cpp'))
    .option('--predict', 'also predict the next value')
    .option('--out <file>', 'where to write the rows with their scores (default: standard output)')
    .option('--json', 'print the summary as JSON; the rows then go to --out only')
    .option('--plot <file>', 'write a page (HTML) that shows values and scores')
    .option('--skip-bad', 'leave bad rows out and count them (default: stop at the first)')
    .action(async (file: string, options: DetectOptions) =>
      (await import('./detect/detect.ts')).detect(file, options),
    );

  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (!(error instanceof HtmEngineError)) throw error;
    process.stderr.write(`htmengine: ${error.message}\n`);
    process.exitCode = 1;
  }
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError('a port is a whole number from 0 to 65535.');
  return port;
}

function parseNumber(text: string): number {
  const number = text.trim() === '' ? NaN : Number(text);
  if (!Number.isFinite(number)) throw new InvalidArgumentError('it must be a finite number.');
  return number;
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
