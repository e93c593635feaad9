import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configurationPage } from '../../scripts/configuration-page.ts';
import { FLAGS } from '../../src/config/flags.ts';
import { textLayer } from '../../src/config/file.ts';
import { findSetting, jsonSchema, SETTINGS } from '../../src/config/settings.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8');

describe('docs/configuration.md', () => {
  it('is what the schema says: run "npm run docs"', () => {
    expect(page).toBe(configurationPage());
  });

  it('tells of every setting', () => {
    for (const { path, variable } of SETTINGS) {
      expect(page).toContain(`\`${path}\``);
      expect(page).toContain(`\`${variable}\``);
    }
  });

  it('has an example that is valid', () => {
    const [, yaml = ''] = /```yaml\n([^]*?)```/.exec(page) ?? [];
    const { given, problems } = textLayer(yaml, 'example', { HOME: '/home/me' });
    expect(problems).toEqual([]);
    expect(given).toHaveLength(4);
  });
});

describe('the flags', () => {
  it.each(FLAGS.map((flag) => [flag.name, flag] as const))(
    '%s sets what there is, and help tells its default',
    (_name, flag) => {
      const setting = findSetting(flag.path);
      expect(setting).not.toBeNull();
      if (flag.argument === undefined) expect(setting).toMatchObject({ type: 'boolean', default: false });
      else expect(flag.default).toBe(String(setting?.default));
      for (const choice of setting?.choices ?? []) expect(flag.help).toContain(choice);
    },
  );
});

it('the JSON Schema for editors is the same on every machine', () => {
  const text = JSON.stringify(jsonSchema());
  expect(text).toContain('"workers":{"description"');
  expect(text).toContain('"additionalProperties":false');
});
