import { type Command, Option } from 'commander';
import type { DetectOptions } from '../detect/detect.ts';
import { parseCeiling, parseNumber } from './arguments.ts';

export function registerDetect(program: Command): void {
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
    .option(
      '--ceiling <limits>',
      "most the memory may hold: on (the engine's default), off, or SEGMENTS,SYNAPSES (default: off)",
      parseCeiling,
    )
    .option('--predict', 'also predict the next value')
    .option('--out <file>', 'where to write the rows with their scores (default: standard output)')
    .option('--json', 'print the summary as JSON; the rows then go to --out only')
    .option('--plot <file>', 'write a page (HTML) that shows values and scores')
    .option('--skip-bad', 'leave bad rows out and count them (default: stop at the first)')
    .action(async (file: string, options: DetectOptions) =>
      (await import('../detect/detect.ts')).detect(file, options),
    );
}
