import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { Access } from '../../src/api/access/access.ts';
import { loadConfig } from '../../src/config/resolve.ts';
import { SETTINGS } from '../../src/config/settings.ts';
import { openStore } from '../../src/open-store.ts';
import { createDatabase, missingServer } from '../support/database-servers.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Nothing here starts a container: that the files say what can be, is all that is held. */
const CONF = join(ROOT, 'conf');
const read = (file: string) => readFileSync(join(CONF, file), 'utf8');
const DOCUMENTS = [
  'compose/compose.yaml',
  'compose/grafana/datasource.yaml',
  'compose/grafana/dashboards.yaml',
  'kubernetes/htmengine.yaml',
];
const missing = await missingServer('postgres');

type Environment = Record<string, string>;

/** What the image sets itself. */
function imageEnvironment(dockerfile: string): Environment {
  const [, set = ''] = /^ENV ([^]*?)\n(?=[A-Z]+ )/m.exec(dockerfile) ?? [];
  return Object.fromEntries(
    [...set.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

/** That an engine with these settings would start: they are valid, and let nobody in without a token. */
function expectUsable(environment: Environment): void {
  const config = loadConfig(
    {},
    { ...imageEnvironment(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')), ...environment },
  );
  expect(config).toMatchObject({ dataDirectory: '/data', api: { host: '0.0.0.0', insecure: false } });
  expect(new Access(config.api).tokens.size).toBe(1);
}

describe('the files for containers', () => {
  it('Dockerfile: stages, a user that is not root, a check of health, and files that there are', () => {
    const lines = readFileSync(join(ROOT, 'Dockerfile'), 'utf8').split('\n');
    expect(lines.filter((line) => line.startsWith('FROM '))).toHaveLength(2);
    expect(lines.filter((line) => line.startsWith('USER '))).toEqual(['USER 1000:1000']);
    expect(lines.filter((line) => line.startsWith('HEALTHCHECK '))).toHaveLength(1);
    const copied = lines.flatMap((line) =>
      [...line.matchAll(/\/source\/(\S+)/g)].map(([, path = '']) => path),
    );
    expect(copied).toContain('dist');
    for (const path of copied) expect(existsSync(join(ROOT, path)), path).toBe(true);
  });

  it('conf/compose/compose.yaml gives the engine settings with which it starts', () => {
    const { services } = parse(read('compose/compose.yaml')) as {
      readonly services: { readonly engine: { readonly environment: Environment } };
    };
    expectUsable(
      Object.fromEntries(
        Object.entries(services.engine.environment).map(([name, value]) => [
          name,
          value.replaceAll(/\$\{HTMENGINE_PASSWORD[^}]*\}/g, 'secret1234567890'),
        ]),
      ),
    );
  });

  it('conf/kubernetes/htmengine.yaml gives the engine settings with which it starts', () => {
    const [set] = parseAllDocuments(read('kubernetes/htmengine.yaml'));
    const { spec } = (set as { toJS(): unknown }).toJS() as {
      readonly spec: {
        readonly template: {
          readonly spec: {
            readonly containers: readonly {
              readonly env: readonly { readonly name: string; readonly value?: string }[];
            }[];
          };
        };
      };
    };
    const secrets: Environment = {
      HTMENGINE_STORE_URL: 'postgres://htm:secret@db/htm',
      HTMENGINE_BUS_URL: 'amqps://htm:secret@broker',
      HTMENGINE_API_TOKENS: 'write me secret1234567890',
    };
    const environment = (spec.template.spec.containers[0]?.env ?? []).map(({ name, value }) => [
      name,
      value ?? secrets[name] ?? '',
    ]);
    expectUsable(Object.fromEntries(environment) as Environment);
  });

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
