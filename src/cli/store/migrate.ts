import { loadConfig } from '../../config/resolve.ts';
import { openDataDirectory } from '../../data-directory.ts';
import { describeStore, openStore, SQLITE } from '../../open-store.ts';
import { commandLineSettings, type ConfigOptions } from '../config-options.ts';

/** Opens the database, which brings it up to date, and says so. */
export async function migrateStore(options: ConfigOptions): Promise<void> {
  const { dataDirectory, store } = loadConfig(commandLineSettings(options));
  if (store.url !== SQLITE) {
    await (await openStore(store, '')).close();
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
