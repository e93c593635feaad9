import type { Command } from 'commander';
import { createProgram } from '../src/cli/program.ts';

const WIDTH = 110;
const INTRODUCTION = `# Commands

<!-- Made from the program by "npm run docs": change its help there. -->

What \`--help\` says of every command. How they work together is told in [Command line](../cli.md), the settings behind the flags in
[Configuration](../configuration.md).
`;

/** docs/reference/commands.md, made from what the program says of itself. */
export function cliPage(): string {
  const parts = everyCommand(createProgram()).map(
    (command) => `## ${nameOf(command)}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\``,
  );
  return `${[INTRODUCTION.trim(), ...parts].join('\n\n')}\n`;
}

/** The program, its commands, and theirs, in the order of help; what help hides is left out. */
function everyCommand(command: Command): Command[] {
  const visible = command.createHelp().visibleCommands(command);
  return [command, ...visible.filter((one) => one.name() !== 'help').flatMap(everyCommand)];
}

function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

/** As on a terminal without colours, always as wide. */
function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => (text += part),
    getOutHelpWidth: () => WIDTH,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text.trim();
}
