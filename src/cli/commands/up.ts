import type { Command } from 'commander';
import type { UpOptions } from '../up.ts';
import { parsePort } from './arguments.ts';

export function registerUp(program: Command): void {
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
    .option('--demo', 'make metrics to look at, demo.*; "htmengine demo remove" takes them away again')
    .option('--log-level <level>', 'fatal, error, warn, info, debug, trace or silent (default: info)')
    .action(async (options: UpOptions) => (await import('../up.ts')).up(options));
}
