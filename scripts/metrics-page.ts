import { Counter, Gauge, Histogram, type Metric, Registry } from 'prom-client';
import { BrokerInstruments } from '../src/bus/rabbitmq/instruments.ts';
import { Engine } from '../src/engine.ts';
import { temporaryDirectory } from '../test/support/engine-process.ts';

const OURS = 'htmengine_';
const INTRODUCTION = `# Metrics

<!-- Made from what a running engine registers by "npm run docs": change it there. -->

What \`GET /metrics\` answers with, in the format of Prometheus: over the HTTP interface, or over \`health.port\` where a process serves no other. None has a label per metric
watched, so their number does not grow with what you watch. Beside these, \`process_*\` and \`nodejs_*\` tell of memory, CPU, garbage collection and, in \`nodejs_eventloop_lag_*\`, of how
long the main thread was held up. A process that has only some of the roles has the metrics of those. Which are worth an alert is told in [Operating](../operating.md#metrics).
`;

/** What an engine registers at its start, as prom-client keeps it. */
interface Registered {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

/** docs/reference/metrics.md, made from the registries of an engine and of a broker's instruments. */
export async function metricsPage(): Promise<string> {
  const engine = await registeredBy(startAndStop);
  const broker = await registeredBy(() => {
    new BrokerInstruments(new Registry());
    return Promise.resolve();
  });
  const known = new Set(engine.map(({ name }) => name));
  return `${INTRODUCTION}
## Every engine

${table(engine)}

## With a broker

Beside these, with \`bus.url: amqp://...\` ([Over a broker](../broker.md)):

${table(broker.filter(({ name }) => !known.has(name)))}
`;
}

function table(metrics: readonly Registered[]): string {
  const rows = metrics.map(
    ({ name, type, labelNames, help }) =>
      `| \`${name}\` | ${type} | ${labelNames.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
  );
  return ['| metric | type | labels | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

async function startAndStop(): Promise<void> {
  const directory = await temporaryDirectory();
  const engine = new Engine({
    dataDirectory: directory.path,
    api: { enabled: false },
    listener: { graphite: { port: 0 } },
    log: { level: 'silent' },
  });
  try {
    await engine.start();
  } finally {
    await engine.stop();
    await directory.remove();
  }
}

/** The metrics of ours that `act` registers anywhere, by name. What /metrics prints says nothing of labels that have no value yet. */
async function registeredBy(act: () => Promise<void>): Promise<Registered[]> {
  const found = new Map<string, Registered>();
  const original = Object.getOwnPropertyDescriptor(Registry.prototype, 'registerMetric');
  const registerMetric = original?.value as Registry['registerMetric'];
  Registry.prototype.registerMetric = function <T extends string>(metric: Metric<T>) {
    const { name, help, labelNames } = metric as unknown as Registered;
    if (name.startsWith(OURS)) found.set(name, { name, help, type: typeOf(metric), labelNames });
    registerMetric.call(this, metric);
  };
  try {
    await act();
  } finally {
    Registry.prototype.registerMetric = registerMetric;
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function typeOf(metric: object): string {
  if (metric instanceof Counter) return 'counter';
  if (metric instanceof Gauge) return 'gauge';
  if (metric instanceof Histogram) return 'histogram';
  throw new Error('docs/reference/metrics.md knows no such type of metric');
}
