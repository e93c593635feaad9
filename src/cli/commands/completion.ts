import { Argument, type Command } from 'commander';
import type { Shell } from '../completion/scripts.ts';
import { engineOptions, examples } from './engine-options.ts';

export function registerCompletion(program: Command): void {
  program
    .command('completion')
    .description('print what makes a shell complete commands, options and names of metrics')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      examples(
        'source <(htmengine completion bash)      now; its first lines say how to keep it',
        'source <(htmengine completion zsh)',
        'htmengine completion fish | source',
      ),
    )
    .action(async (shell: Shell) => {
      const { COMPLETION_SCRIPTS } = await import('../completion/scripts.ts');
      process.stdout.write(COMPLETION_SCRIPTS[shell]);
    });

  engineOptions(program.command('__complete', { hidden: true }))
    .argument('[words...]')
    .action(async (words: string[], { url }: { url: string }) =>
      (await import('../completion/complete.ts')).complete(program, words, url),
    );
}
