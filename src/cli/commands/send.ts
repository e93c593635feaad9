import type { Command } from 'commander';
import type { SendOptions } from '../send/send.ts';
import { engineOptions, examples } from './engine-options.ts';

export function registerSend(program: Command): void {
  engineOptions(program.command('send').description('send values, from the command line or standard input'))
    .argument(
      '[values...]',
      'NAME VALUE [TIME], or with --metric only values; without any, lines of standard input',
    )
    .option('--metric <name>', 'the metric of all values, which then come without a name')
    .option(
      '--graphite <host:port>',
      'send Graphite lines to a listener, which does not answer, instead of HTTP',
    )
    .addHelpText(
      'after',
      `
Lines of standard input are "name value [time]", with --metric "value [time]"; they are sent on as they come. A time is
epoch seconds or ISO 8601; without it the value is of now. A metric has one value a second: a second one is refused as
a duplicate. Negative numbers come after --.
${examples(
  'htmengine send room.temperature 21.5',
  'htmengine send --metric room.temperature -- -3.5',
  "vmstat -n 5 | awk 'NR>2 {print 100-$15; fflush()}' | htmengine send --metric my.cpu",
  'htmengine send < lines.txt',
)}`,
    )
    .action(async (values: string[], options: SendOptions) =>
      (await import('../send/send.ts')).send(values, options),
    );
}
