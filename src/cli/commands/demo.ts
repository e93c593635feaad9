import type { Command } from 'commander';
import type { DemoOptions } from '../metrics/demo.ts';
import { engineOptions } from './engine-options.ts';

export function registerDemo(program: Command): void {
  const group = program.command('demo').description('the demo data that "htmengine up --demo" makes');
  engineOptions(
    group.command('remove').description('remove all demo metrics with their rows and models'),
  ).action(async (options: DemoOptions) => (await import('../metrics/demo.ts')).removeDemo(options));
}
