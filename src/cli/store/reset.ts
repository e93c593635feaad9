import { basename } from 'node:path';
import { loadConfig } from '../../config/resolve.ts';
import { openDataDirectory } from '../../data-directory.ts';
import { HtmEngineError } from '../../errors.ts';
import { describeStore, openCheckpointFiles, openStore, SQLITE, wasOriginal } from '../../open-store.ts';
import { resetInstallation } from '../../reset-installation.ts';
import { commandLineSettings, type ConfigOptions } from '../config-options.ts';
import { requireTyped } from '../terminal/confirm.ts';
import { Progress } from '../terminal/progress.ts';
import { countText } from '../terminal/text.ts';

export type ResetOptions = ConfigOptions & { readonly confirm?: string };

/** Empties a database that this program made, once its name has been typed. @throws HtmEngineError `store_not_ours` */
export async function resetDatabase(options: ResetOptions): Promise<void> {
  const { dataDirectory, store: settings } = loadConfig(commandLineSettings(options));
  const isFile = settings.url === SQLITE;
  const where = isFile ? dataDirectory : describeStore(settings.url);
  const name = isFile ? basename(dataDirectory) : basename(new URL(settings.url).pathname);
  if (await wasOriginal(settings)) {
    throw new HtmEngineError(
      'store_not_ours',
      `${where} was a database of the original htmengine, so it is not this command's to empty: use another database, or remove its metrics with htmengine metrics delete`,
    );
  }
  const directory = openDataDirectory(dataDirectory);
  try {
    const store = await openStore(settings, directory.databaseFile);
    try {
      const { metrics, rows } = await store.transfer.describe();
      const what = `All ${countText(metrics, 'metric')} with ${countText(rows, 'row')} and their models in ${where} will be gone.`;
      await requireTyped(what, name, options.confirm);
      const progress = new Progress(process.stderr, metrics);
      const files = await openCheckpointFiles(directory.checkpointDirectory);
      const removed = await resetInstallation(store, [files, store.checkpoints], () => {
        progress.advance(1);
      });
      progress.end();
      process.stdout.write(`${where} is empty: ${countText(removed, 'metric')} removed.\n`);
    } finally {
      await store.close();
    }
  } finally {
    directory.release();
  }
}
