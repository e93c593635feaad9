import type { Config } from '../../config.ts';
import { loadConfig } from '../../config/resolve.ts';
import { openDataDirectory } from '../../data-directory.ts';
import { modelSettings } from '../../monitoring/model-settings.ts';
import {
  describeStore,
  findOriginal,
  openStore,
  type OriginalInstallation,
  SQLITE,
} from '../../open-store.ts';
import { upgradeOriginal, type UpgradeOutcome } from '../../upgrade-original.ts';
import { commandLineSettings, type ConfigOptions } from '../config-options.ts';
import { Progress } from '../terminal/progress.ts';
import { countText } from '../terminal/text.ts';

/** Opens the database, which brings it up to date, and says so. One of the original's is turned into one of ours. */
export async function migrateStore(options: ConfigOptions): Promise<void> {
  const config = loadConfig(commandLineSettings(options));
  const { dataDirectory, store } = config;
  if (store.url !== SQLITE) {
    const original = await findOriginal(store);
    if (original === null) await (await openStore(store, '')).close();
    else await upgradeAndTell(original, config);
    process.stdout.write(`${describeStore(store.url)} is up to date.\n`);
    return;
  }
  const directory = openDataDirectory(dataDirectory);
  try {
    await (await openStore(store, directory.databaseFile)).close();
  } finally {
    directory.release();
  }
  process.stdout.write(`${directory.databaseFile} is up to date.\n`);
}

async function upgradeAndTell(original: OriginalInstallation, config: Config): Promise<void> {
  const { state } = original.database;
  process.stdout.write(
    state === null
      ? 'Going on with the upgrade of a database of the original htmengine.\n'
      : `This is a database of the original htmengine, as its migration ${state} of 4 left it.\n`,
  );
  let progress: Progress | undefined;
  let phase = '';
  let done = 0;
  try {
    const outcome = await upgradeOriginal(original, modelSettings(config), (step) => {
      if (step.what !== phase) {
        progress?.end();
        phase = step.what;
        done = 0;
        progress = new Progress(
          process.stderr,
          step.inAll,
          () => `${done} of ${step.inAll} metrics: ${phase}`,
        );
      }
      progress?.advance(step.done - done);
      done = step.done;
    });
    progress?.end();
    process.stdout.write(outcomeText(outcome));
  } finally {
    await original.database.close();
  }
}

function outcomeText({ metrics, monitored, renamed, kept, renumbered, refused }: UpgradeOutcome): string {
  const lines = [
    `${countText(metrics, 'metric')} taken over with all their rows; the original's scores are in the table original_result.`,
    `${countText(monitored, 'model')} will learn from the stored rows as soon as an engine runs ("htmengine metrics" shows how far).`,
    ...renamed.map(({ from, to }) => `Renamed: ${from} is ${to} now.`),
    ...kept.map((name) => `Not renamed, since there is a metric of that name without the slash: ${name}`),
    ...renumbered.map((name) => `Rows numbered anew, since some had been deleted in between: ${name}`),
    ...refused.map(({ name, reason }) => `Not monitored any more: ${name} (${reason})`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}
