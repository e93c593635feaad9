import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { SETTINGS } from '../../src/config/settings.ts';
import { openStore } from '../../src/open-store.ts';
import { createDatabase, missingServer } from '../support/database-servers.ts';

/** Nothing here starts a container: that the files say what can be, is all that is held. */
const CONF = join(import.meta.dirname, '../../conf');
const read = (file: string) => readFileSync(join(CONF, file), 'utf8');
const DOCUMENTS = [
  'compose/compose.yaml',
  'compose/grafana/datasource.yaml',
  'compose/grafana/dashboards.yaml',
  'kubernetes/htmengine.yaml',
];
const missing = await missingServer('postgres');

describe('the files for containers', () => {
  it.each(DOCUMENTS)('%s is YAML, and every variable of ours in it is a setting', (file) => {
    const text = read(file);
    for (const document of parseAllDocuments(text)) {
      if (!('errors' in document)) throw new Error(`${file} is empty`);
      expect(document.errors).toEqual([]);
    }
    const variables = new Set(SETTINGS.map(({ variable }) => variable));
    const named = [...text.matchAll(/\bHTMENGINE_[A-Z_]+/g)].map(([name]) => name);
    expect(named.filter((name) => name !== 'HTMENGINE_PASSWORD' && !variables.has(name))).toEqual([]);
  });

  it('conf/compose/compose.yaml mounts files that there are', () => {
    const mounted = [...read('compose/compose.yaml').matchAll(/- \.\/(\S+?):/g)].map(
      ([, path]) => path ?? '',
    );
    expect(mounted).toHaveLength(3);
    for (const path of mounted) expect(existsSync(join(CONF, 'compose', path))).toBe(true);
  });

  it.skipIf(missing !== null)('the queries of the Grafana dashboard run on the views', async () => {
    const database = await createDatabase('postgres');
    try {
      await (
        await openStore(
          {
            url: database.url,
            passwordFile: '',
            maxConnections: 1,
            statementTimeoutMs: 10_000,
            busyTimeoutMs: 1,
          },
          '',
        )
      ).close();
      const dashboard = read('compose/grafana/htmengine.json');
      const queries = [...dashboard.matchAll(/"(?:rawSql|query)": ("select .*")/g)].map(
        ([, text]) => JSON.parse(text ?? '') as string,
      );
      expect(queries).toHaveLength(4);
      for (const query of queries) {
        const plain = query.replace(/\$__timeFilter\((\w+)\)/, '$1 > now()').replace('$metric', 'a');
        expect(await database.execute(plain)).toEqual([]);
      }
    } finally {
      await database.drop();
    }
  });
});
