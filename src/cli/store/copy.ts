import { copyInstallation, type CopySide } from '../../copy-installation.ts';
import { openDataDirectory } from '../../data-directory.ts';
import type { Store } from '../../store/store.ts';
import { isServerUrl, openCheckpointFiles, openStore, SQLITE } from '../../open-store.ts';
import { Progress } from '../terminal/progress.ts';

export interface CopyOptions {
  readonly from: string;
  readonly to: string;
  readonly fromPasswordFile?: string;
  readonly toPasswordFile?: string;
  readonly json?: true;
}

interface OpenSide extends CopySide {
  close(): Promise<void>;
}

/** Copies an installation and says what was copied. */
export async function copy(options: CopyOptions): Promise<void> {
  const from = await openSide(options.from, options.fromPasswordFile);
  try {
    const to = await openSide(options.to, options.toPasswordFile);
    try {
      await copyAndTell(from, to, options.json === true);
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}

async function copyAndTell(from: OpenSide, to: OpenSide, json: boolean): Promise<void> {
  let done = 0;
  let rows = 0;
  let progress: Progress | undefined;
  const outcome = await copyInstallation(from, to, (now) => {
    progress ??= new Progress(process.stderr, now.metricsInAll, () => `${rows} rows`);
    rows = now.rows;
    progress.advance(now.metrics - done);
    done = now.metrics;
  });
  progress?.end();
  const { metrics, checkpoints, checksum } = outcome;
  process.stdout.write(
    json
      ? `${JSON.stringify(outcome)}\n`
      : `Copied and compared: ${metrics} metrics, ${outcome.rows} rows, ${checkpoints} saved models.\nChecksum of both: ${checksum}\n`,
  );
}

async function openSide(place: string, passwordFile = ''): Promise<OpenSide> {
  const settings = { passwordFile, maxConnections: 2, statementTimeoutMs: 120_000, busyTimeoutMs: 5_000 };
  if (isServerUrl(place)) {
    const store = await openStore({ ...settings, url: place }, '');
    return { ...store, close: () => store.close() };
  }
  const directory = openDataDirectory(place);
  let store: Store | null = null;
  const close = async () => {
    try {
      await store?.close();
    } finally {
      directory.release();
    }
  };
  try {
    store = await openStore({ ...settings, url: SQLITE }, directory.databaseFile);
    const checkpoints = await openCheckpointFiles(directory.checkpointDirectory);
    return { transfer: store.transfer, incidents: store.incidents, checkpoints, close };
  } catch (error) {
    await close();
    throw error;
  }
}
