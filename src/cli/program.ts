import { Command, CommanderError } from 'commander';
import { HtmEngineError } from '../errors.ts';
import { registerBackup } from './commands/backup.ts';
import { registerCheckConfig } from './commands/check-config.ts';
import { registerCollect } from './commands/collect.ts';
import { registerCompletion } from './commands/completion.ts';
import { registerDeadLetters } from './commands/dead-letters.ts';
import { registerDemo } from './commands/demo.ts';
import { registerDetect } from './commands/detect.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerFileImport } from './commands/import.ts';
import { registerInit } from './commands/init.ts';
import { registerMetrics } from './commands/metrics.ts';
import { registerModels } from './commands/models.ts';
import { registerPartitions } from './commands/partitions.ts';
import { registerPlan } from './commands/plan.ts';
import { registerRetention } from './commands/retention.ts';
import { registerRoles } from './commands/roles.ts';
import { registerResults } from './commands/results.ts';
import { registerSend } from './commands/send.ts';
import { registerStore } from './commands/store.ts';
import { registerUp } from './commands/up.ts';
import { version } from '../version.ts';
import { UsageError } from './usage-error.ts';
import { ReaderGoneError } from './terminal/output.ts';

/** Adds a command, or a group of them, to the program. What a command does is loaded when it is called. */
type Register = (program: Command) => void;

/** In the order in which --help tells of them. */
const COMMANDS: readonly Register[] = [
  registerUp,
  registerRoles,
  registerMetrics,
  registerModels,
  registerResults,
  registerSend,
  registerFileImport,
  registerDetect,
  registerInit,
  registerRetention,
  registerDemo,
  registerCollect,
  registerCheckConfig,
  registerDoctor,
  registerPlan,
  registerStore,
  registerBackup,
  registerDeadLetters,
  registerPartitions,
  registerCompletion,
];

const FAILED = 1;
const USAGE = 2;

const EXAMPLES = `
Examples:
  htmengine up --demo                           run everything in this process, with metrics to look at
  htmengine up --auto-monitor --collect-host    or watch this machine
  htmengine metrics list --sort score           what is unusual now
  htmengine send room.temperature 21.5
  htmengine import history.csv --name web.cpu
  htmengine results --follow --min-likelihood 0.5
  htmengine detect series.csv --plot scored.html    no engine needed

Each command has its own --help. Commands find the engine with --url or HTMENGINE_URL.
Exit codes: 0 done, 1 failed, 2 called wrongly.
`;

/** The command line. Resolves when the command has ended or, for services, has started; failures set the exit code. */
export async function run(argv: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync(argv);
  } catch (error) {
    // Whoever was to read the output has gone, as `head` does when it has enough.
    if (!(error instanceof ReaderGoneError)) process.exitCode = exitCodeFor(error);
  }
}

/** Every command with its options, ready to parse. */
export function createProgram(): Command {
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
  if (!(error instanceof HtmEngineError || error instanceof UsageError)) throw error;
  process.stderr.write(`htmengine: ${error.message}\n`);
  return error instanceof UsageError ? USAGE : FAILED;
}
