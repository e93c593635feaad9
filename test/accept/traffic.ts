import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { temporaryDirectory } from '../support/engine-process.ts';
import { layDownExample } from '../support/laid-down.ts';

const SEEDS = '5';
const TIMEOUT_MS = 3_600_000;
/** What five cities together must show; docs/traffic.md has what they did. */
const LEAST_RECALL = 0.8;
const MOST_FALSE_ALARMS_PER_DAY = 3;

interface Figures {
  readonly planted: number;
  readonly recall: number;
  readonly falseAlarmsPerDay: number;
}

/** The report of the traffic example on five simulated cities: planted incidents are found, and not much else. */
export async function traffic(): Promise<void> {
  const directory = await temporaryDirectory();
  try {
    const application = await layDownExample(directory.path, 'traffic');
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['app.ts', 'report', '--seeds', SEEDS, '--json'],
      { cwd: application, timeout: TIMEOUT_MS },
    );
    process.stdout.write(stdout);
    const { together } = JSON.parse(stdout) as { together: Figures };
    if (together.planted < 50) throw new Error(`only ${together.planted} incidents were planted`);
    if (together.recall < LEAST_RECALL)
      throw new Error(`recall is ${together.recall}, below ${LEAST_RECALL}`);
    if (together.falseAlarmsPerDay > MOST_FALSE_ALARMS_PER_DAY)
      throw new Error(
        `${together.falseAlarmsPerDay} false alarms a day, more than ${MOST_FALSE_ALARMS_PER_DAY}`,
      );
  } finally {
    await directory.remove();
  }
}
