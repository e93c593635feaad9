/**
 * `npm run accept -- NAME [OPTIONS]`: the long runs that are made before an issue is closed. The tests hold a small form of
 * each.
 */
import { clone } from './clone.ts';
import { distributed } from './distributed.ts';
import { docs } from './docs.ts';
import { equality } from './equality.ts';
import { faults } from './faults.ts';
import { hostile } from './hostile.ts';
import { kills } from './kills.ts';
import { nab } from './nab.ts';
import { originalStory } from './original-story.ts';
import { original } from './original.ts';
import { packaged } from './package.ts';
import { skeleton } from './skeleton.ts';
import { stores } from './stores.ts';
import { traffic } from './traffic.ts';

/** Each prints what it found and throws if that is not what must be. */
const RUNS: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  nab,
  kills,
  equality,
  hostile,
  stores,
  original,
  'original-story': originalStory,
  skeleton,
  traffic,
  distributed,
  docs,
  package: packaged,
  clone,
  faults,
};

const [name = '', ...args] = process.argv.slice(2);
const runs = name === 'all' ? Object.entries(RUNS) : Object.entries(RUNS).filter(([known]) => known === name);
if (runs.length === 0) {
  process.stderr.write(`usage: npm run accept -- ${Object.keys(RUNS).join('|')}|all\n`);
  process.exit(1);
}
for (const [title, run] of runs) {
  const begun = Date.now();
  process.stdout.write(`== ${title}\n`);
  try {
    await run(args);
    process.stdout.write(`== ${title}: passed in ${Math.round((Date.now() - begun) / 1000)} s\n`);
  } catch (error) {
    process.exitCode = 1;
    process.stdout.write(`== ${title}: FAILED: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
