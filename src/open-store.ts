import { openMysqlStore } from './store/mysql/mysql-store.ts';
import { openPostgresStore } from './store/postgres/postgres-store.ts';
import type { ServerStoreOptions } from './store/server/server-store.ts';
import { parseServerUrl } from './store/server/url.ts';
import type { Store } from './store/store.ts';

/**
 * Opens the store in the database server that `url` names; with the engine itself the one place that knows which
 * adapters there are.
 * @param password takes the place of one in the URL.
 * @throws HtmEngineError `config_invalid`, `store_newer`, `store_unavailable`
 */
export function openServerStore(
  url: string,
  password: string | undefined,
  options: ServerStoreOptions,
): Promise<Store> {
  const address = parseServerUrl(url, password);
  return address.kind === 'mysql' ? openMysqlStore(address, options) : openPostgresStore(address, options);
}
