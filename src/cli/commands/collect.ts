import type { Command } from 'commander';
import type { RabbitmqOptions } from '../collect/rabbitmq.ts';
import { examples } from './engine-options.ts';

/** Collectors that are programs of their own. */
export function registerCollect(program: Command): void {
  program
    .command('collect-rabbitmq')
    .description(
      'send the lengths of RabbitMQ queues to a listener every 5 minutes: the engine watches its own broker',
    )
    .option('--rmq-addr <host:port>', 'where the management plugin answers', '127.0.0.1:15672')
    .option('--rmq-user <name>', 'who asks', 'guest')
    .option('--rmq-pass <password>', 'their password', 'guest')
    .option(
      '--rmq-queues <list>',
      'vhost/queue, separated by commas; vhost / is %2f',
      '%2f/htmengine.metric.custom.data',
    )
    .requiredOption('--metric-prefix <text>', 'what the names of the metrics begin with')
    .option('--metric-addr <host:port>', 'the listener')
    .option('--dryrun', 'print the samples of now instead, and end')
    .addHelpText(
      'after',
      examples(
        'htmengine collect-rabbitmq --metric-prefix rabbitmq --metric-addr 127.0.0.1:2003',
        'htmengine collect-rabbitmq --metric-prefix rabbitmq --dryrun',
      ),
    )
    .action(async (options: RabbitmqOptions) =>
      (await import('../collect/rabbitmq.ts')).collectRabbitmq(options),
    );
}
