import { Command, CommanderError } from 'commander';
import { HtmEngineError } from '../errors.ts';
import { registerDetect } from './commands/detect.ts';
import { registerUp } from './commands/up.ts';
import { version } from '../version.ts';

/** Adds a command, or a group of them, to the program. What a command does is loaded when it is called. */
type Register = (program: Command) => void;

/** In the order in which --help tells of them. */
const COMMANDS: readonly Register[] = [registerUp, registerDetect];

const FAILED = 1;
const USAGE = 2;

const EXAMPLES = `
Examples:
  htmengine up                                  run everything in this process, data in ./htmengine-data
  htmengine up --auto-monitor --collect-host    and watch this machine
  htmengine detect series.csv --out scored.csv --plot scored.html
  echo "my.metric 42 $(date +%s)" | nc -N 127.0.0.1 2003
  curl http://127.0.0.1:8080/api/v1/metrics

Exit codes: 0 done, 1 failed, 2 called wrongly.
`;

/** The command line. Resolves when the command has ended or, for services, has started; failures set the exit code. */
export async function run(argv: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync(argv);
  } catch (error) {
    process.exitCode = exitCodeFor(error);
  }
}

/** Every command with its options, ready to parse. */
function createProgram(): Command {
  const program = new Command('htmengine')
    .description(
      'Learns what is usual for each of your metrics and tells you when one of them stops behaving.',
    )
    .version(version())
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(htmengine --help tells what there is)')
    .exitOverride();
  for (const register of COMMANDS) register(program);
  return program;
}

/** Tells the user what failed, unless commander did. @throws what is no user's error */
function exitCodeFor(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
  if (!(error instanceof HtmEngineError)) throw error;
  process.stderr.write(`htmengine: ${error.message}\n`);
  return FAILED;
}
