/**
 * The flags that set something, for the settings that are changed most. Apart from the schema so that the command line
 * can tell of them without loading it.
 */
export interface SettingFlag {
  readonly name: `--${string}`;
  /** What help calls its value; a flag without one means true. */
  readonly argument?: string;
  readonly path: string;
  /** For help: what it does, without the default. */
  readonly help: string;
  /** For help. */
  readonly default?: string;
}

export const FLAGS: readonly SettingFlag[] = [
  {
    name: '--data-dir',
    argument: '<dir>',
    path: 'dataDirectory',
    help: 'where the database and the models are kept',
    default: 'htmengine-data',
  },
  {
    name: '--store',
    argument: '<url>',
    path: 'store.url',
    help: 'keep everything on a database server: mysql://user@host/database or postgres://...',
    default: 'sqlite',
  },
  {
    name: '--bus',
    argument: '<url>',
    path: 'bus.url',
    help: 'take samples over a RabbitMQ broker: amqp://user@host/vhost',
    default: 'memory',
  },
  {
    name: '--host',
    argument: '<address>',
    path: 'listener.graphite.host',
    help: 'listen for samples on this address',
    default: '127.0.0.1',
  },
  {
    name: '--port',
    argument: '<n>',
    path: 'listener.graphite.port',
    help: 'listen for samples on this port; 0 takes any free one',
    default: '2003',
  },
  {
    name: '--protocol',
    argument: '<name>',
    path: 'listener.graphite.protocol',
    help: 'what senders speak: plain, which is Graphite plaintext',
    default: 'plain',
  },
  {
    name: '--transport',
    argument: '<name>',
    path: 'listener.graphite.transport',
    help: 'what samples come over: tcp, udp or both',
    default: 'both',
  },
  {
    name: '--http-host',
    argument: '<address>',
    path: 'api.host',
    help: 'serve HTTP on this address',
    default: '127.0.0.1',
  },
  {
    name: '--http-port',
    argument: '<n>',
    path: 'api.port',
    help: 'serve HTTP on this port; 0 takes any free one',
    default: '8080',
  },
  {
    name: '--threshold-days',
    argument: '<days>',
    path: 'retention.maxAgeDays',
    help: 'purge rows that are older, once nothing needs them any more; 0 keeps them',
    default: '0',
  },
  {
    name: '--health-port',
    argument: '<n>',
    path: 'health.port',
    help: 'serve health and metrics on this port where HTTP is not served otherwise; 0 takes any free one',
    default: '8081',
  },
  { name: '--auto-monitor', path: 'monitoring.auto', help: 'monitor every new metric by itself' },
  {
    name: '--collect-host',
    path: 'collector.host',
    help: "feed this machine's own CPU, load, memory, disk and network in",
  },
  {
    name: '--demo',
    path: 'collector.demo',
    help: 'make metrics to look at, demo.*; "htmengine demo remove" takes them away again',
  },
  {
    name: '--log-level',
    argument: '<level>',
    path: 'log.level',
    help: 'fatal, error, warn, info, debug, trace or silent',
    default: 'info',
  },
];
