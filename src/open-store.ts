import type { CheckpointStore } from './checkpoints/checkpoint-store.ts';
import { FilesystemCheckpointStore } from './checkpoints/filesystem/filesystem-checkpoint-store.ts';
import { HtmEngineError } from './errors.ts';
import { passwordFrom } from './password-file.ts';
import type { OriginalDatabase } from './store/original.ts';
import type { ServerStoreOptions } from './store/server/server-store.ts';
import { describeServer, parseServerUrl } from './store/server/url.ts';
import { openSqliteStore } from './store/sqlite/sqlite-store.ts';
import type { Store } from './store/store.ts';

export interface StoreSettings {
  /** Of a database server, or `sqlite`. */
  readonly url: string;
  /** Empty for none. */
  readonly passwordFile: string;
  readonly maxConnections: number;
  readonly statementTimeoutMs: number;
  readonly busyTimeoutMs: number;
}

/** What stands for the SQLite file instead of a server's URL. */
export const SQLITE = 'sqlite';

export interface StoreHooks {
  /** Told once if the store can no longer work. */
  readonly onFailure?: (error: HtmEngineError) => void;
  readonly onRepeat?: ServerStoreOptions['onRepeat'];
}

/**
 * Opens the store that the settings name; beside the engine the one place that knows which adapters there are.
 * @param databaseFile where SQLite's is.
 * @throws HtmEngineError `config_invalid`, `store_locked`, `store_newer`, `store_unavailable`, `data_directory_unwritable`
 */
export function openStore(
  settings: StoreSettings,
  databaseFile: string,
  hooks: StoreHooks = {},
): Promise<Store> {
  const { url, busyTimeoutMs, maxConnections, statementTimeoutMs } = settings;
  const { onFailure, onRepeat } = hooks;
  if (url === SQLITE) {
    return openSqliteStore({
      path: databaseFile,
      busyTimeoutMs,
      ...(onFailure !== undefined && { onFailure }),
    });
  }
  return openServerStore(url, passwordFrom(settings.passwordFile, 'store.passwordFile'), {
    maxConnections,
    statementTimeoutMs,
    ...(onRepeat !== undefined && { onRepeat }),
  });
}

/**
 * Opens the store in the database server that `url` names.
 * @param password takes the place of one in the URL.
 * @throws HtmEngineError `config_invalid`, `store_newer`, `store_unavailable`
 */
export async function openServerStore(
  url: string,
  password: string | undefined,
  options: ServerStoreOptions,
): Promise<Store> {
  const address = parseServerUrl(url, password);
  // Whoever needs no database server does not load its driver.
  if (address.kind === 'mysql') {
    const { openMysqlStore } = await import('./store/mysql/mysql-store.ts');
    return openMysqlStore(address, options);
  }
  const { openPostgresStore } = await import('./store/postgres/postgres-store.ts');
  return openPostgresStore(address, options);
}

/** A database of the original htmengine's, and the store that it becomes. */
export interface OriginalInstallation {
  readonly database: OriginalDatabase;
  /** Opens the store once its tables are ours; nobody else may until the upgrade is finished. */
  readonly openStore: () => Promise<Store>;
}

/**
 * Looks whether the settings name a database of the original's, or one whose upgrade was begun.
 * @returns null if not. @throws HtmEngineError `config_invalid`, `store_not_ours`, `store_unavailable`
 */
export async function findOriginal(settings: StoreSettings): Promise<OriginalInstallation | null> {
  const { url, maxConnections, statementTimeoutMs } = settings;
  if (url === SQLITE) return null;
  const address = parseServerUrl(url, passwordFrom(settings.passwordFile, 'store.passwordFile'));
  if (address.kind !== 'mysql') return null;
  const { findOriginalDatabase, openMysqlStore } = await import('./store/mysql/mysql-store.ts');
  const database = await findOriginalDatabase(address);
  if (database === null) return null;
  return {
    database,
    openStore: () => openMysqlStore(address, { maxConnections, statementTimeoutMs, whileUpgrading: true }),
  };
}

/** Whether a database is, or once was, the original's. @throws HtmEngineError `config_invalid`, `store_unavailable` */
export async function wasOriginal({ url, passwordFile }: StoreSettings): Promise<boolean> {
  if (url === SQLITE) return false;
  const address = parseServerUrl(url, passwordFrom(passwordFile, 'store.passwordFile'));
  if (address.kind !== 'mysql') return false;
  const { wasOriginalDatabase } = await import('./store/mysql/mysql-store.ts');
  return wasOriginalDatabase(address);
}

/** A server's address for people: without the password. @throws HtmEngineError `config_invalid` */
export function describeStore(url: string): string {
  return describeServer(parseServerUrl(url));
}

/**
 * Saved models in files below `directory`.
 * @param isShared other processes may be writing there.
 * @throws HtmEngineError `store_unavailable`
 */
export function openCheckpointFiles(directory: string, isShared = false): Promise<CheckpointStore> {
  return FilesystemCheckpointStore.open(directory, isShared);
}

export interface ObjectSettings {
  readonly bucket: string;
  readonly prefix: string;
  readonly endpoint: string;
  readonly region: string;
  /** Empty for whatever the client finds by itself. */
  readonly accessKeyId: string;
  readonly secretAccessKeyFile: string;
}

/**
 * Saved models in objects of S3. Its client is loaded here alone.
 * @throws HtmEngineError `config_invalid` (no bucket is named, or the client is not installed)
 */
export async function openCheckpointObjects(settings: ObjectSettings): Promise<CheckpointStore> {
  const { accessKeyId, secretAccessKeyFile, ...where } = settings;
  if (where.bucket === '')
    throw new HtmEngineError('config_invalid', 'checkpoints.s3.bucket: name the bucket for saved models');
  const secret = passwordFrom(secretAccessKeyFile, 'checkpoints.s3.secretAccessKeyFile');
  if ((accessKeyId === '') !== (secret === undefined)) {
    throw new HtmEngineError(
      'config_invalid',
      'checkpoints.s3: give accessKeyId and secretAccessKeyFile, or neither',
    );
  }
  const credentials = secret === undefined ? null : { accessKeyId, secretAccessKey: secret };
  const { S3CheckpointStore } = await loadS3();
  return new S3CheckpointStore({ ...where, credentials });
}

async function loadS3() {
  try {
    return await import('./checkpoints/s3/s3-checkpoint-store.ts');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) throw error;
    throw new HtmEngineError(
      'config_invalid',
      'checkpoints.keptIn is s3, for which the package @aws-sdk/client-s3 is needed: npm install @aws-sdk/client-s3',
    );
  }
}

export { isServerUrl } from './store/server/url.ts';
export { listCheckpointFiles, type CheckpointFile } from './checkpoints/filesystem/listing.ts';
export {
  readSnapshot,
  snapshotDatabase,
  type SavedModel,
  type SnapshotModel,
  type SnapshotSummary,
} from './store/sqlite/snapshot.ts';
