import { EngineClient } from '../../client/engine-client.ts';
import { remove } from './actions.ts';

/** Flags of `demo remove`. */
export interface DemoOptions {
  readonly url: string;
  readonly token?: string;
  readonly json?: boolean;
}

/** Deletes what is marked as demo data, whatever it is called; nothing else. */
export async function removeDemo(options: DemoOptions): Promise<void> {
  const names: string[] = [];
  for await (const page of new EngineClient(options.url, options).metricPages()) {
    names.push(...page.filter(({ demo }) => demo).map(({ name }) => name));
  }
  if (names.length === 0) process.stderr.write('There is no demo data.\n');
  await remove(names, { ...options, exact: true });
}
