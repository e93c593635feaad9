import { setTimeout as delay } from 'node:timers/promises';
import { type Block, blocksOf, type Command, commandsOf } from './blocks.ts';
import { Sandbox } from './sandbox.ts';

/** What takes its time, such as a score, has come by then. */
const PATIENCE_MS = 120_000;
const PAUSE_MS = 200;

export function isCommands({ language }: Block): boolean {
  return language === 'sh' || language === 'console';
}

/** Whether its commands are run: always, only at length, or never. */
export function isRun(block: Block, atLength: boolean): boolean {
  return isCommands(block) && !block.notes.has('not run') && (atLength || !block.notes.has('run at length'));
}

/**
 * Runs a document's commands one after the other in a directory of their own.
 * @throws Error with the place of the first that fails, or prints otherwise than the document says
 */
export async function runPage(path: string, root: string, atLength: boolean): Promise<void> {
  const blocks = blocksOf(path, root);
  const sandbox = await Sandbox.create();
  try {
    for (const block of blocks) {
      const engine = block.notes.get('with an engine');
      if (engine !== undefined) await sandbox.runOn(`htmengine up ${engine}`, 'Try:');
      if (isRun(block, atLength)) await runBlock(block, sandbox);
    }
  } finally {
    await sandbox.end();
  }
}

async function runBlock(block: Block, sandbox: Sandbox): Promise<void> {
  const until = block.notes.get('runs on until');
  if (until !== undefined) return sandbox.runOn(block.text, until);
  for (const command of commandsOf(block)) await runCommand(command, block, sandbox);
}

async function runCommand(command: Command, { at, notes }: Block, sandbox: Sandbox): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const { code, output } = await sandbox.run(command.text);
    const { prints } = command;
    // What a command prints tells more than its code, which may be a failure that the document shows.
    const fault =
      prints === null || notes.has('output not compared')
        ? code === 0
          ? null
          : `ended with ${code ?? 'a signal'}`
        : missingLine(
            prints.map((line) => sandbox.moved(line)),
            output,
          );
    if (fault === null) return;
    if (!notes.has('until it fits') || Date.now() > deadline)
      throw new Error(`${at}: "${command.text}" ${fault}; it printed:\n${output}`);
    await delay(PAUSE_MS);
  }
}

/** The first line that was not printed, in the order of lines; numbers, times and ids may differ. */
function missingLine(expected: readonly string[], output: string): string | null {
  const printed = output.split('\n').map(shapeOf);
  let from = 0;
  for (const line of expected) {
    const shape = shapeOf(line);
    // A line of dots stands for any number of lines.
    if (shape === '' || shape === '...') continue;
    // More may stand behind it, such as a rate where there was time to measure one.
    const place = printed.findIndex((one, index) => index >= from && one.startsWith(shape));
    if (place < 0) return `did not print "${line}"`;
    from = place + 1;
  }
  return null;
}

function shapeOf(line: string): string {
  return line
    .replaceAll(/\b[0-9a-f]{32,}\b/g, '#')
    .replaceAll(/\d[\d,.:TZ-]*/g, '#')
    .replaceAll(/[▁-█]+/g, '~')
    .replaceAll(/\s+/g, ' ')
    .trim();
}
