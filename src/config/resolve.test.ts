import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve as resolvePath } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { ConfigInput } from '../config.ts';
import { roleDefaults, ROLES } from '../roles.ts';
import type { Environment } from './expand.ts';
import { loadConfig, parseConfig, problemText, resolveSettings } from './resolve.ts';
import { originText, shownValue } from './layers.ts';
import { findSetting, SETTINGS } from './settings.ts';

const directory = mkdtempSync(join(tmpdir(), 'htmengine-config-'));
const file = join(directory, 'htmengine.yaml');
afterAll(() => rmSync(directory, { recursive: true }));

/** The settings of a file, of variables and of flags. */
function resolve(text: string, environment: Environment = {}, flags: Record<string, string | boolean> = {}) {
  writeFileSync(file, text);
  return resolveSettings({ file, flags }, environment);
}

function problems(text: string, environment: Environment = {}, flags: Record<string, string | boolean> = {}) {
  return resolve(text, environment, flags).problems.map((problem) =>
    problemText(problem).replace(directory, '.'),
  );
}

const config = (
  text: string,
  environment: Environment = {},
  flags: Record<string, string | boolean> = {},
) => {
  writeFileSync(file, text);
  return loadConfig({ file, flags }, environment);
};

describe('where a value comes from', () => {
  const text = 'listener:\n  graphite:\n    port: 1\napi:\n  port: 2\nlog:\n  level: warn\n';
  const environment = { HTMENGINE_API_PORT: '3', HTMENGINE_LOG_LEVEL: 'debug' };

  it('is a flag before a variable before the file before the default', () => {
    const { listener, api, log, scheduler } = config(text, environment, { '--log-level': 'silent' });
    expect([listener.graphite.port, api.port, log.level]).toEqual([1, 3, 'silent']);
    expect(scheduler.sliceRows).toBe(200);
  });

  it('is told of each', () => {
    const { settings } = resolve(text, environment, { '--log-level': 'silent' });
    const origins = new Map(settings.map(({ setting, origin }) => [setting.path, originText(origin)]));
    expect(origins.get('listener.graphite.port')).toBe(`${file}:3`);
    expect(origins.get('api.port')).toBe('HTMENGINE_API_PORT');
    expect(origins.get('log.level')).toBe('--log-level');
    expect(origins.get('api.host')).toBe('default');
    expect(settings).toHaveLength(SETTINGS.length);
  });

  it("of a process of one role is its role's default where nobody gives one", () => {
    const ports = ROLES.filter((role) => role !== 'api').map((role) => {
      const { port } = loadConfig({ defaults: roleDefaults(role) }, {}).health;
      // The page that is made from the schema says so.
      expect(findSetting('health.port')?.description).toContain(`\`${role}\` ${port}`);
      return port;
    });
    expect(new Set(ports).size).toBe(ROLES.length - 1);
    const given = { defaults: roleDefaults('retention') };
    expect(loadConfig(given, { HTMENGINE_HEALTH_PORT: '9000' }).health.port).toBe(9000);
    const { settings } = resolveSettings(given, {});
    expect(settings.find(({ setting }) => setting.path === 'health.port')).toMatchObject({
      value: 8086,
      origin: { kind: 'default' },
    });
  });

  it('may be a file that HTMENGINE_CONFIG names, unless a flag names another', () => {
    writeFileSync(file, 'api: { port: 5 }');
    expect(loadConfig({ flags: {} }, { HTMENGINE_CONFIG: file }).api.port).toBe(5);
    const other = join(directory, 'other.yaml');
    writeFileSync(other, 'api: { port: 6 }');
    expect(loadConfig({ file: other, flags: {} }, { HTMENGINE_CONFIG: file }).api.port).toBe(6);
    expect(loadConfig({ flags: {} }, { HTMENGINE_CONFIG: '' }).api.port).toBe(8080);
  });
});

describe('a file', () => {
  it('may be empty, and so may its sections', () => {
    for (const text of ['', '# nothing\n', 'api:\nlistener:\n  graphite:\n', '{}']) {
      expect(config(text).api.port).toBe(8080);
    }
  });

  it('is told of with everything that is wrong, and where', () => {
    const text = [
      'scheduler:',
      '  wrokers: 2',
      '  sliceRows: many',
      'api:',
      '  port: 70000',
      'listener: 5',
      'port: 1',
      'log: { level: loud }',
      'collector: { host: yes please }',
    ].join('\n');
    expect(problems(text)).toEqual([
      './htmengine.yaml:2: scheduler.wrokers is not a setting; did you mean scheduler.workers?',
      './htmengine.yaml:6: listener must hold settings (graphite), not a value',
      './htmengine.yaml:7: port is not a setting; did you mean listener.graphite.port or api.port or health.port?',
      './htmengine.yaml:3: scheduler.sliceRows is "many": it must be a whole number from 1 to 10000',
      './htmengine.yaml:9: collector.host is "yes please": it must be true or false',
      './htmengine.yaml:5: api.port is 70000: it must be a whole number from 0 to 65535',
      './htmengine.yaml:8: log.level is "loud": it must be one of "fatal", "error", "warn", "info", "debug", "trace", "silent"',
    ]);
  });

  it('with a value of another type is refused: what is quoted is text', () => {
    expect(problems('api: { port: "80", enabled: 1 }\nlog:\n  level: null')).toEqual([
      './htmengine.yaml:1: api.enabled is 1: it must be true or false',
      './htmengine.yaml:1: api.port is "80": it must be a whole number from 0 to 65535',
      './htmengine.yaml:3: log.level is null: it must be one of "fatal", "error", "warn", "info", "debug", "trace", "silent"',
    ]);
  });

  it.each([
    ['a: [', /^\.\/htmengine\.yaml:\d+: not YAML: /],
    ['api: { port: 1 }\napi: { port: 2 }', /^\.\/htmengine\.yaml:2: not YAML: /],
    ['- api', /^\.\/htmengine\.yaml:1: this must hold settings \(.*dataDirectory.*\), not a value/],
    [
      'a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c]',
      /alias/i,
    ],
    ['__proto__: { api: 1 }', /__proto__ is not a setting/],
    ['constructor: 1', /constructor is not a setting/],
  ])('like %j is refused', (text, message) => {
    expect(problems(text).join('\n')).toMatch(message);
    expect(resolve(text).config).toBeNull();
  });

  it('that cannot be read is refused', () => {
    const missing = join(directory, 'missing.yaml');
    const [problem] = resolveSettings({ file: missing, flags: {} }, {}).problems;
    expect(problem?.message).toMatch('cannot be read');
    expect(problem?.message).toMatch('missing.yaml');
  });

  it('may take values from variables, which are read as if they stood there', () => {
    const text =
      'api: { port: "${PORT}", host: "${HOST:-::1}", enabled: "${ON:-false}" }\ndataDirectory: ${HOME}/data$${x}';
    const { api, dataDirectory } = config(text, { PORT: '81', HOME: '/home/me', HOST: '' });
    expect(api).toMatchObject({ port: 81, host: '::1', enabled: false });
    expect(dataDirectory).toBe('/home/me/data${x}');
  });

  it('that needs a variable which is not set is refused, naming it', () => {
    expect(problems('api:\n  port: ${A}\n  host: ${B}${C:-}${B}')).toEqual([
      './htmengine.yaml:2: api.port needs the environment variable A, which is not set; set it, or write ${A:-default}',
      './htmengine.yaml:3: api.host needs the environment variable B, which is not set; set it, or write ${B:-default}',
    ]);
  });
});

describe('environment variables', () => {
  it('have the names of the settings, and none stands for two', () => {
    const names = new Map(SETTINGS.map(({ path, variable }) => [path, variable]));
    expect(names.get('listener.graphite.maxLineBytes')).toBe('HTMENGINE_LISTENER_GRAPHITE_MAX_LINE_BYTES');
    expect(names.get('dataDirectory')).toBe('HTMENGINE_DATA_DIRECTORY');
    expect(new Set(names.values()).size).toBe(SETTINGS.length);
  });

  it('that are nearly settings are refused, empty ones and those of others are not', () => {
    const environment = {
      HTMENGINE_API_PROT: '1',
      HTMENGINE_API_PORT: '',
      HTMENGINE_URL: 'http://127.0.0.1:1',
      HTMENGINE_SERVICE_HOST: '10.0.0.1',
      HTMENGINE_PORT: 'tcp://10.0.0.1:8080',
      PATH: '/bin',
    };
    expect(problems('', environment)).toEqual([
      'HTMENGINE_API_PROT: this is not a setting; did you mean HTMENGINE_API_PORT?',
    ]);
  });

  it.each(
    ['', 'x', '1.5', '-1', '70000', '[1]', '{', '1 2', 'true', 'null', '"80"'].filter((text) => text !== ''),
  )('are refused where %j is no port', (text) => {
    const [problem] = problems('', { HTMENGINE_API_PORT: text });
    expect(problem).toMatch(
      /^HTMENGINE_API_PORT: api\.port is .*: it must be a whole number from 0 to 65535$/,
    );
  });

  it('give every setting any value that its schema takes', () => {
    const cases = SETTINGS.map((setting) => {
      const { type, choices, minimum, maximum } = setting;
      const value: fc.Arbitrary<string | number | boolean> =
        choices !== null
          ? fc.constantFrom(...choices)
          : type === 'boolean'
            ? fc.boolean()
            : type === 'string'
              ? fc.stringMatching(
                  setting.path === 'checkpoints.s3.prefix' ? /^[ -~]{0,19}\/$/ : /^[ -~]{0,19}[!-~]$/,
                )
              : fc.integer({ min: minimum ?? 0, max: maximum ?? Number.MAX_SAFE_INTEGER });
      return value.map((chosen) => ({ setting, chosen }));
    });
    fc.assert(
      fc.property(fc.oneof(...cases), ({ setting, chosen }) => {
        const { settings, problems: found } = resolveSettings(
          { flags: {} },
          { [setting.variable]: String(chosen) },
        );
        expect(found).toEqual([]);
        expect(settings.find((one) => one.setting.path === setting.path)).toMatchObject({
          value: setting.path === 'dataDirectory' ? resolvePath(String(chosen)) : chosen,
          origin: { kind: 'environment', name: setting.variable },
        });
      }),
    );
  });

  it('are refused with a rule of their own where they have one', () => {
    expect(problems('', { HTMENGINE_CHECKPOINTS_S3_PREFIX: 'mine' })).toEqual([
      'HTMENGINE_CHECKPOINTS_S3_PREFIX: checkpoints.s3.prefix is "mine": it must end in /',
    ]);
  });

  it('never make it throw, whatever they hold', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(fc.constantFrom(...SETTINGS), fc.string({ unit: 'binary' }), (setting, text) => {
        const { config: parsed, problems: found } = resolveSettings(
          { flags: {} },
          { [setting.variable]: text },
        );
        expect(parsed === null).toBe(found.length > 0);
      }),
    );
  });
});

describe('a program', () => {
  it('is told of every problem in one error', () => {
    const given = { api: { port: -1 }, scheduler: { wrokers: 1 } };
    expect(() => parseConfig(given as ConfigInput)).toThrow(
      expect.objectContaining({
        code: 'config_invalid',
        message:
          '2 settings are wrong:\n' +
          '  settings: scheduler.wrokers is not a setting; did you mean scheduler.workers?\n' +
          '  settings: api.port is -1: it must be a whole number from 0 to 65535',
      }),
    );
  });

  it('may leave out what it likes, also as undefined', () => {
    expect(parseConfig({ api: { port: undefined } }).api.port).toBe(8080);
  });
});

describe('a value in a message', () => {
  const [setting] = SETTINGS;
  if (setting === undefined) throw new Error('there are settings');

  it('is shortened', () => {
    expect(shownValue(setting, 'x'.repeat(1000))).toMatch(/^"x{10,70}\.\.\.$/);
    expect(shownValue(setting, 5)).toBe('5');
  });

  it('is never shown if it is a secret', () => {
    expect(shownValue({ ...setting, secret: true }, 'postgres://me:password@host')).toBe('(hidden)');
  });
});

describe('the schema', () => {
  it.each(SETTINGS.map((setting) => [setting.path, setting] as const))(
    'says what %s is',
    (_path, setting) => {
      expect(setting.description).toMatch(/\.$/);
      expect(setting.type).not.toBe('other');
    },
  );
});
