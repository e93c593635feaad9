import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migratingPage } from '../../../scripts/migrating-page.ts';
import type { Environment } from '../expand.ts';
import { originText, shownValue } from '../layers.ts';
import { problemText, resolveSettings } from '../resolve.ts';
import { findSetting } from '../settings.ts';
import { ORIGINAL_KEYS } from './keys.ts';

const APPLICATION = `# of the skeleton
[debugging]
profiling: false

[repository]
db = skeleton
host: 127.0.0.1
user = root
passwd =
port = 3306

[metric_listener]
plaintext_port = 2003 ; as Carbon
`;
const SWAPPER = '[model_runner]\ntarget_requests_per_checkpoint = 500\n[debugging]\nprofiling = false\n';
const RABBIT = `[connection]
host = localhost
port = 5672
virtual_host = /
[credentials]
user = guest
password = guest
[management]
port = 15672
`;
const CHECKPOINT = '[storage]\nroot = ${HOME}/checkpoints\n';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'htmengine-original-'));
  mkdirSync(join(directory, 'overrides'));
  write('application.conf', APPLICATION);
  write('model-swapper.conf', SWAPPER);
  write('model-checkpoint.conf', CHECKPOINT);
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function write(name: string, text: string): void {
  writeFileSync(join(directory, name), text);
}

function resolve(environment: Environment = {}, flags: Record<string, string> = {}) {
  const resolution = resolveSettings(
    { flags },
    { APPLICATION_CONFIG_PATH: directory, HOME: '/home/me', ...environment },
  );
  const one = (path: string) => {
    const found = resolution.settings.find(({ setting }) => setting.path === path);
    if (found === undefined) throw new Error(`there is no setting ${path}`);
    return found;
  };
  return {
    ...resolution,
    value: (path: string) => one(path).value,
    shown: (path: string) => shownValue(one(path).setting, one(path).value),
    origin: (path: string) => originText(one(path).origin),
    problems: resolution.problems.map(problemText),
    notes: resolution.notes.map(problemText),
  };
}

describe('a directory that APPLICATION_CONFIG_PATH names', () => {
  it('sets what it has, and says where', () => {
    const { value, origin, problems, notes } = resolve();
    expect(problems).toEqual([]);
    expect(notes).toEqual([]);
    expect(value('store.url')).toBe('mysql://root@127.0.0.1:3306/skeleton');
    expect(value('dataDirectory')).toBe('/home/me/checkpoints');
    expect(value('checkpoints.keptIn')).toBe('files');
    expect(origin('listener.graphite.port')).toBe(`${join(directory, 'application.conf')}:13`);
  });

  const changes: readonly (readonly [
    file: string,
    key: string,
    given: string,
    setting: string,
    value: unknown,
  ])[] = [
    ['application', 'debugging.profiling', 'true', 'log.level', 'debug'],
    ['application', 'repository.db', 'traffic', 'store.url', 'mysql://root@127.0.0.1:3306/traffic'],
    ['application', 'repository.host', 'db.example', 'store.url', 'mysql://root@db.example:3306/skeleton'],
    ['application', 'repository.user', 'htm', 'store.url', 'mysql://htm@127.0.0.1:3306/skeleton'],
    [
      'application',
      'repository.passwd',
      'a/b@c',
      'store.url',
      'mysql://root:a%2Fb%40c@127.0.0.1:3306/skeleton',
    ],
    ['application', 'repository.port', '3307', 'store.url', 'mysql://root@127.0.0.1:3307/skeleton'],
    ['application', 'metric_listener.plaintext_port', '2103', 'listener.graphite.port', 2103],
    ['model-swapper', 'debugging.profiling', 'yes', 'log.level', 'debug'],
    ['model-swapper', 'model_runner.target_requests_per_checkpoint', '50', 'scheduler.checkpointRows', 50],
    ['model-checkpoint', 'storage.root', '/srv/models', 'dataDirectory', '/srv/models'],
    ['rabbitmq', 'connection.host', 'mq.example', 'bus.url', 'amqp://guest:guest@mq.example:5672/%2F'],
    ['rabbitmq', 'connection.port', '5673', 'bus.url', 'amqp://guest:guest@localhost:5673/%2F'],
    ['rabbitmq', 'connection.virtual_host', 'htm', 'bus.url', 'amqp://guest:guest@localhost:5672/htm'],
    ['rabbitmq', 'credentials.user', 'htm', 'bus.url', 'amqp://htm:guest@localhost:5672/%2F'],
    ['rabbitmq', 'credentials.password', 'a@b', 'bus.url', 'amqp://guest:a%40b@localhost:5672/%2F'],
  ];

  it.each(changes)(
    '%s.conf: %s = %s changes %s, from overrides/ and from a variable',
    (file, key, given, setting, wanted) => {
      write('rabbitmq.conf', RABBIT);
      expect(resolve().value(setting)).not.toEqual(wanted);
      const [section = '', name = ''] = key.split('.');
      write(`overrides/${file}.conf`, `[${section}]\n${name.toUpperCase()} = ${given}\n`);
      const overridden = resolve();
      expect(overridden.value(setting)).toEqual(wanted);
      expect(overridden.config).not.toBeNull();
      rmSync(join(directory, `overrides/${file}.conf`));
      const variable = `_NTA_UTILS_CONFIG__${file.replaceAll('-', '_')}__${section}__${name}`.toUpperCase();
      const { value, origin } = resolve({ [variable]: given });
      expect(value(setting)).toEqual(wanted);
      expect(origin(setting)).toBe(variable);
    },
  );

  it('has every option that has an effect tried above', () => {
    const withEffect = ORIGINAL_KEYS.filter(({ settings }) => Object.keys(settings).length > 0);
    const names = [
      'application metric_listener.queue_name',
      'application metric_streamer.results_exchange_name',
    ];
    expect([...changes.map(([file, key]) => `${file} ${key}`), ...names].sort()).toEqual(
      withEffect.map(({ file, key }) => `${file} ${key}`).sort(),
    );
    for (const { settings } of withEffect)
      for (const path of Object.keys(settings)) expect(findSetting(path)).not.toBeNull();
  });

  it('goes over the broker of the original, also where no file names it', () => {
    const { value, origin } = resolve();
    expect(value('bus.url')).toBe('amqp://guest:guest@localhost:5672/%2F');
    expect(origin('bus.url')).toBe('APPLICATION_CONFIG_PATH');
  });

  it.each([
    ['[metric_listener]\nqueue_name = traffic.metric.custom.data', 'traffic'],
    ['[metric_streamer]\nresults_exchange_name = taurus.model.results', 'taurus'],
  ])("takes the application's name out of those of the broker: %j", (given, name) => {
    expect(resolve().value('bus.application')).toBe('htmengine');
    write('overrides/application.conf', `${given}\n`);
    expect(resolve().value('bus.application')).toBe(name);
  });

  it.each([
    [
      '[metric_listener]\nqueue_name = samples',
      /queue_name must be the application's name with \.metric\.custom\.data/,
    ],
    [
      '[metric_listener]\nqueue_name = a.metric.custom.data\n[metric_streamer]\nresults_exchange_name = b.model.results',
      /must begin with the same name, not b and a/,
    ],
  ])('is refused where those names are of another form: %j', (given, message) => {
    write('overrides/application.conf', `${given}\n`);
    expect(resolve().problems.join('\n')).toMatch(message);
  });

  it('has options without effect told, each once, and what replaces them', () => {
    write(
      'application.conf',
      `${APPLICATION}[anomaly_likelihood]\nstatistics_refresh_rate = 24\n[web]\nport = 1\n`,
    );
    write('overrides/application.conf', '[web]\nport = 2\n');
    const { notes, problems } = resolve({ _NTA_UTILS_CONFIG__APPLICATION__REPOSITORY__COLOUR: 'red' });
    expect(problems).toEqual([]);
    expect(notes).toEqual([
      expect.stringMatching(/statistics_refresh_rate has no effect here: .*refits every 100 rows/) as string,
      expect.stringMatching(/web\.port is no option of the engine's: passed over/) as string,
      '_NTA_UTILS_CONFIG__APPLICATION__REPOSITORY__COLOUR: no file has this option: passed over',
    ]);
  });

  it('loses to our own variables and flags', () => {
    const { value } = resolve({ HTMENGINE_STORE_URL: 'sqlite' }, { '--port': '7' });
    expect(value('store.url')).toBe('sqlite');
    expect(value('listener.graphite.port')).toBe(7);
  });

  it('has its password hidden', () => {
    const { shown } = resolve({ _NTA_UTILS_CONFIG__APPLICATION__REPOSITORY__PASSWD: 'secret' });
    expect(shown('store.url')).toBe('(hidden)');
  });

  it('takes ~ for the home directory', () => {
    write('model-checkpoint.conf', '[storage]\nroot: ~/models\n');
    expect(resolve().value('dataDirectory')).toBe(join(homedir(), 'models'));
  });

  it.each([
    ['application.conf', '[repository]\ndb = x\nport = many\n', /repository\.port must be a whole number/],
    ['application.conf', '[repository]\nhost = x\n', /repository\.db must name the database/],
    ['application.conf', 'db = x\n', /application\.conf:1: this is before the first \[section\]/],
    ['application.conf', '[repository]\nwhat\n', /application\.conf:2: this is neither/],
    ['model-checkpoint.conf', '[storage]\nroot = models\n', /storage\.root must be an absolute path/],
    [
      'model-checkpoint.conf',
      '[storage]\nroot = ${NOWHERE}/x\n',
      /storage\.root needs the environment variable NOWHERE/,
    ],
    [
      'model-swapper.conf',
      '[debugging]\nprofiling = perhaps\n',
      /debugging\.profiling must be true or false/,
    ],
  ])('is refused where %s is %j', (file, text, message) => {
    write(file, text);
    const { problems, config } = resolve();
    expect(config).toBeNull();
    expect(problems.join('\n')).toMatch(message);
  });

  it.each(['application', 'model-swapper', 'model-checkpoint'])('is refused without %s.conf', (file) => {
    rmSync(join(directory, `${file}.conf`));
    expect(resolve().problems.join('\n')).toMatch(/there is no such file: APPLICATION_CONFIG_PATH must name/);
  });

  it('has long values over several lines', () => {
    write('application.conf', `${APPLICATION}[web]\nnames: a,\n  b\nport = 1\n`);
    expect(resolve().notes).toHaveLength(2);
  });
});

it('docs/migrating.md has the table that the code has: run "npm run docs"', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/migrating.md'), 'utf8');
  expect(page).toBe(migratingPage(page));
  for (const { key } of ORIGINAL_KEYS) expect(page).toContain(`\`${key}\``);
});
