import { homedir } from 'node:os';
import { isAbsolute } from 'node:path';

/** The files of a configuration of the original's. */
export const ORIGINAL_FILES = ['application', 'model-swapper', 'model-checkpoint', 'rabbitmq'] as const;
export type OriginalFile = (typeof ORIGINAL_FILES)[number];

/** Without which there is no configuration; the original kept the last one elsewhere. */
export const REQUIRED_FILES: ReadonlySet<OriginalFile> = new Set([
  'application',
  'model-swapper',
  'model-checkpoint',
]);

/** Values of options by `section.name`. */
export type Values = Readonly<Record<string, string | undefined>>;

/** A value for one of our settings, or what is wrong. */
export type Effect = { readonly value: unknown } | { readonly problem: string } | null;

/** An option of the original's: what it does here. */
export interface OriginalKey {
  readonly file: OriginalFile;
  /** `section.name` */
  readonly key: string;
  /** As the original came; null where every installation has its own. */
  readonly default: string | null;
  /** Settings that it has an effect on: each is computed from all options of the file. */
  readonly settings: Readonly<Record<string, (values: Values) => Effect>>;
  /** It has its effect also where it is not given. */
  readonly always?: true;
  /** Its effect, or what replaces it, for people. */
  readonly means: string;
}

const LIKELIHOOD =
  'nothing: the likelihood is the streaming form of the algorithm, whose constants are frozen with each model: it learns 288 rows, estimates from 100 more, refits every 100 rows over the last 8640';
const NO_QUEUES =
  'nothing: no queue stands between services; each reads the rows that it has not worked on from the database';

const replaced = (file: OriginalFile, key: string, initial: string | null, means: string): OriginalKey => ({
  file,
  key,
  default: initial,
  settings: {},
  means,
});

const repository = (name: string, initial: string | null, means: string): OriginalKey => ({
  file: 'application',
  key: `repository.${name}`,
  default: initial,
  settings: { 'store.url': storeUrl },
  means: `\`store.url\`: ${means}`,
});

const broker = (key: string, initial: string, means: string): OriginalKey => ({
  file: 'rabbitmq',
  key,
  default: initial,
  settings: { 'bus.url': brokerUrl },
  means: `\`bus.url\`: ${means}`,
});

const named = (key: string, suffix: string): OriginalKey => ({
  file: 'application',
  key,
  default: `<app>.${suffix}`,
  settings: { 'bus.application': application },
  means: `\`bus.application\`: what stands before \`.${suffix}\`, which must be the same in both such names`,
});

/** Every option that the original has, in its own order. */
export const ORIGINAL_KEYS: readonly OriginalKey[] = [
  {
    file: 'application',
    key: 'debugging.profiling',
    default: 'false',
    settings: { 'log.level': profiling },
    means: '`log.level`: `debug` if true; how long things take is in the metrics anyway (docs/operating.md)',
  },
  repository('db', null, 'the database'),
  repository(
    'host',
    '127.0.0.1',
    'its server; on another machine it is spoken to with TLS unless `HTMENGINE_STORE_URL` says otherwise',
  ),
  repository('user', 'root', 'the user'),
  repository('passwd', '', 'the password, which is never shown'),
  repository('port', '3306', 'the port'),
  named('metric_streamer.results_exchange_name', 'model.results'),
  replaced(
    'application',
    'metric_streamer.chunk_size',
    '1440',
    'nothing: rows are not sent to models but read by them, `scheduler.sliceRows` at a time',
  ),
  {
    file: 'application',
    key: 'metric_listener.plaintext_port',
    default: '2003',
    settings: { 'listener.graphite.port': whole('metric_listener.plaintext_port') },
    means: '`listener.graphite.port`; the address is loopback unless `--host` says otherwise',
  },
  named('metric_listener.queue_name', 'metric.custom.data'),
  replaced('application', 'anomaly_likelihood.statistics_min_sample_size', '100', LIKELIHOOD),
  replaced('application', 'anomaly_likelihood.statistics_refresh_rate', '24', LIKELIHOOD),
  replaced('application', 'anomaly_likelihood.statistics_sample_size', '8640', LIKELIHOOD),
  replaced(
    'application',
    'metric_collector.poll_interval',
    '60',
    "nothing, as in the original's own services",
  ),
  replaced(
    'application',
    'metric_collector.metric_error_grace_period',
    '10800',
    "nothing, as in the original's own services",
  ),
  {
    file: 'model-swapper',
    key: 'debugging.profiling',
    default: 'false',
    settings: { 'log.level': profiling },
    means: '`log.level`, as in application.conf',
  },
  replaced('model-swapper', 'interface_bus.results_queue', '<app>.mswapper.results', NO_QUEUES),
  replaced(
    'model-swapper',
    'interface_bus.model_input_queue_prefix',
    '<app>.mswapper.model.input.',
    NO_QUEUES,
  ),
  replaced(
    'model-swapper',
    'interface_bus.scheduler_notification_queue',
    '<app>.mswapper.scheduler.notification',
    NO_QUEUES,
  ),
  {
    file: 'model-swapper',
    key: 'model_runner.target_requests_per_checkpoint',
    default: '500',
    settings: {
      'scheduler.checkpointRows': whole('model_runner.target_requests_per_checkpoint'),
    },
    means: '`scheduler.checkpointRows`',
  },
  {
    file: 'model-checkpoint',
    key: 'storage.root',
    default: null,
    settings: { dataDirectory: storageRoot, 'checkpoints.keptIn': keptInFiles },
    means:
      '`dataDirectory`, with `checkpoints.keptIn` `files`: saved models go there. What the original saved there is of no use to us and is left alone',
  },
  { ...broker('connection.host', 'localhost', 'the broker, also without the file'), always: true },
  broker('connection.port', '5672', 'the port'),
  broker('connection.virtual_host', '/', 'the virtual host'),
  broker('credentials.user', 'guest', 'the user'),
  broker('credentials.password', 'guest', 'the password, which is never shown'),
  replaced('rabbitmq', 'management.port', '15672', 'nothing: the engine does not need the management plugin'),
];

function profiling(values: Values): Effect {
  const text = values['debugging.profiling'] ?? '';
  if (/^(1|true|yes|on)$/i.test(text)) return { value: 'debug' };
  return /^(0|false|no|off|)$/i.test(text) ? null : { problem: 'debugging.profiling must be true or false' };
}

function whole(key: string): (values: Values) => Effect {
  return ({ [key]: text }) => {
    if (text === undefined) return null;
    return /^\d+$/.test(text) ? { value: Number(text) } : { problem: `${key} must be a whole number` };
  };
}

/** What is left out has the value that the original came with. */
function storeUrl(values: Values): Effect {
  const part = (name: string, initial: string) => values[`repository.${name}`] ?? initial;
  const database = part('db', '');
  if (database === '') return { problem: 'repository.db must name the database' };
  const host = part('host', '127.0.0.1');
  const port = part('port', '3306');
  if (!/^\d+$/.test(port)) return { problem: 'repository.port must be a whole number' };
  const [user, password, path] = [part('user', 'root'), part('passwd', ''), database].map(encodeURIComponent);
  const address = host.includes(':') ? `[${host}]` : host;
  return {
    value: `mysql://${user}${password === '' ? '' : `:${password}`}@${address}:${port}/${path}`,
  };
}

function storageRoot(values: Values): Effect {
  const root = (values['storage.root'] ?? '').replace(/^~(?=\/|$)/, homedir());
  return isAbsolute(root) ? { value: root } : { problem: 'storage.root must be an absolute path' };
}

function keptInFiles(values: Values): Effect {
  return values['storage.root'] === undefined ? null : { value: 'files' };
}

/** What is left out has the value that the original came with. */
function brokerUrl(values: Values): Effect {
  const host = values['connection.host'] ?? 'localhost';
  const port = values['connection.port'] ?? '5672';
  if (!/^\d+$/.test(port)) return { problem: 'connection.port must be a whole number' };
  const [user, password, vhost] = [
    values['credentials.user'] ?? 'guest',
    values['credentials.password'] ?? 'guest',
    values['connection.virtual_host'] ?? '/',
  ].map(encodeURIComponent);
  const address = host.includes(':') ? `[${host}]` : host;
  return { value: `amqp://${user}:${password}@${address}:${port}/${vhost}` };
}

const NAMED: readonly (readonly [key: string, suffix: string])[] = [
  ['metric_streamer.results_exchange_name', '.model.results'],
  ['metric_listener.queue_name', '.metric.custom.data'],
];

/** The original's names all begin with the application's; ours can only begin with one. */
function application(values: Values): Effect {
  const names = new Set<string>();
  for (const [key, suffix] of NAMED) {
    const name = values[key];
    if (name === undefined) continue;
    if (!name.endsWith(suffix)) return { problem: `${key} must be the application's name with ${suffix}` };
    names.add(name.slice(0, -suffix.length));
  }
  const [only, other] = names;
  if (only === undefined) return null;
  if (other === undefined) return { value: only };
  return {
    problem: `${NAMED.map(([key]) => key).join(' and ')} must begin with the same name, not ${only} and ${other}`,
  };
}
