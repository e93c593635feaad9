import { resolve } from 'node:path';
import { backUp } from '../backup/backup.ts';
import { restore } from '../backup/restore.ts';
import { loadConfig } from '../config/resolve.ts';
import { HtmEngineError } from '../errors.ts';
import { describeStore, SQLITE, type StoreSettings } from '../open-store.ts';
import { version } from '../version.ts';
import { commandLineSettings, type ConfigOptions } from './config-options.ts';
import { Output } from './terminal/output.ts';
import { Progress } from './terminal/progress.ts';
import { countText } from './terminal/text.ts';

export type BackupOptions = ConfigOptions & { readonly json?: true };

const MIB = 2 ** 20;

/** Backs the data directory up and says what is in the backup. */
export async function backup(target: string, options: BackupOptions): Promise<void> {
  const { dataDirectory, store, checkpoints: saved } = loadConfig(commandLineSettings(options));
  refuseServer(store);
  const modelsAreElsewhere = saved.keptIn === 's3';
  const outcome = await withProgress((onProgress) =>
    backUp({
      modelsAreElsewhere,
      dataDirectory,
      target: resolve(target),
      programVersion: version(),
      busyTimeoutMs: store.busyTimeoutMs,
      onProgress,
    }),
  );
  const { metrics, rows, checkpoints, bytes } = outcome;
  await tell(
    options,
    outcome,
    `Backed up: ${countText(metrics, 'metric')}, ${countText(rows, 'row')}, ${countText(checkpoints, 'saved model')}, ${(bytes / MIB).toFixed(1)} MiB in ${resolve(target)}.${modelsAreElsewhere ? ' Saved models are in the bucket and not part of it.' : ''}\n`,
  );
}

/** Makes a data directory of a backup and says what is in it. */
export async function restoreBackup(source: string, options: BackupOptions): Promise<void> {
  const { dataDirectory, store } = loadConfig(commandLineSettings(options));
  refuseServer(store);
  const outcome = await withProgress((onProgress) =>
    restore({ backup: resolve(source), dataDirectory, onProgress }),
  );
  const { metrics, rows, checkpoints, createdAt } = outcome;
  await tell(
    options,
    outcome,
    `Restored as of ${createdAt}: ${countText(metrics, 'metric')}, ${countText(rows, 'row')}, ${countText(checkpoints, 'saved model')}.\nStart the engine with --data-dir ${dataDirectory}.\n`,
  );
}

function refuseServer({ url }: StoreSettings): void {
  if (url === SQLITE) return;
  throw new HtmEngineError(
    'invalid_argument',
    `rows are in ${describeStore(url)}: back them up with that server's own tool (mariadb-dump --single-transaction, pg_dump); saved models are rows there unless checkpoints.keptIn says files. Or stop the engine and run htmengine copy --from URL --to DIRECTORY`,
  );
}

async function withProgress<T>(
  run: (onProgress: (done: number, files: number) => void) => Promise<T>,
): Promise<T> {
  let progress: Progress | undefined;
  let shown = 0;
  try {
    return await run((done, files) => {
      progress ??= new Progress(process.stderr, files, () => `${shown} files`);
      progress.advance(done - shown);
      shown = done;
    });
  } finally {
    progress?.end();
  }
}

async function tell(options: BackupOptions, outcome: object, text: string): Promise<void> {
  await Output.toStandardOutput().write(options.json === true ? `${JSON.stringify(outcome)}\n` : text);
}
