import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { BrokerInstruments } from '../../src/bus/rabbitmq/instruments.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/broker.md'), 'utf8');

it('docs/broker.md tells of every metric that a broker brings, with its type and meaning', async () => {
  const registry = new Registry();
  new BrokerInstruments(registry);
  const registered = (await registry.metrics()).matchAll(
    /^# HELP (htmengine_broker_\w+) (.*)\n# TYPE \w+ (\w+)$/gm,
  );
  const rows = [...registered].map(([, name, help, type]) => `| \`${name}\` | ${type} | ${help} |`);
  expect(rows.length).toBeGreaterThan(5);
  expect(PAGE.split('\n').filter((line) => line.startsWith('| `htmengine_broker_'))).toEqual(rows.sort());
});
