import type { EngineStatus } from '../api/contract.ts';
import { formatBytes, formatCount, formatDuration, formatTime, formatValue, type Zone } from './format.ts';
import type { Measurements } from './measurements.ts';

/** One line of the system view. */
export interface Figure {
  readonly term: string;
  readonly words: string;
  /** Wants somebody's attention. */
  readonly bad?: boolean;
}

export interface FigureGroup {
  readonly title: string;
  readonly figures: readonly Figure[];
  /** Said where there are none. */
  readonly none: string;
}

/** Two readings of one process, the earlier one for what happened in between. */
export interface Readings {
  readonly now: Measurements;
  readonly before: Measurements;
}

/** Everything that the engine tells about itself, in words. What this process does not measure (another does that work) is left out. */
export function systemFigures(status: EngineStatus, readings: Readings, zone: Zone): FigureGroup[] {
  const figures = new Figures(readings);
  return [
    { title: 'Engine', figures: engine(status, figures, zone), none: '' },
    { title: 'Work', figures: work(status, figures), none: '' },
    { title: 'Models', figures: models(status, figures), none: '' },
    { title: 'Samples refused', figures: refusals(figures), none: 'None since this process began.' },
    { title: 'Queues', figures: queues(figures), none: 'This process has none.' },
    { title: 'Saved models', figures: checkpoints(figures), none: 'This process runs no models.' },
    { title: 'Disk', figures: disk(figures), none: 'This process keeps nothing on its disk.' },
    {
      title: 'Who works on what',
      figures: leases(status, figures),
      none: 'This process does all the work there is.',
    },
  ];
}

/** Figures of what is measured; none where it is not. */
class Figures {
  readonly #now: Measurements;
  readonly #before: Measurements;
  readonly seconds: number;

  constructor({ now, before }: Readings) {
    this.#now = now;
    this.#before = before;
    this.seconds = (now.at - before.at) / 1000;
  }

  get measurements(): Measurements {
    return this.#now;
  }

  total(term: string, name: string, words = formatCount): Figure[] {
    const value = this.#now.total(name);
    return value === null ? [] : [{ term, words: words(value) }];
  }

  /** A count that ought to be 0. */
  fault(term: string, name: string): Figure[] {
    return this.total(term, name).map((figure) => ({ ...figure, bad: (this.#now.total(name) ?? 0) > 0 }));
  }

  /** A counter and how fast it grows. */
  counter(term: string, name: string): Figure[] {
    return this.total(term, name, (value) => `${formatCount(value)}${this.rateWords(name)}`);
  }

  rate(name: string): number | null {
    const growth = this.#now.growth(name, this.#before);
    return growth === null || this.seconds <= 0 ? null : growth / this.seconds;
  }

  rateWords(name: string): string {
    const rate = this.rate(name);
    return rate === null ? '' : `, ${formatRate(rate)}`;
  }

  quantile(name: string, share: number): number | null {
    return this.#now.quantile(name, share, this.#before);
  }
}

const formatRate = (perSecond: number) => `${formatValue(Number(perSecond.toPrecision(2)))} per second`;
const formatSeconds = (seconds: number) =>
  seconds < 1 ? `${formatValue(Number((1000 * seconds).toPrecision(2)))} ms` : formatDuration(seconds);

function engine({ version, startedAt, ready }: EngineStatus, figures: Figures, zone: Zone): Figure[] {
  const startedSeconds = Date.parse(startedAt) / 1000;
  const node = figures.measurements.by('nodejs_version_info', 'version')[0]?.[0] ?? '';
  const cores = figures.rate('process_cpu_seconds_total');
  return [
    { term: 'Version', words: version },
    { term: 'Node.js', words: node.replace(/^v/, '') },
    ready
      ? { term: 'State', words: 'keeps what it is sent' }
      : { term: 'State', words: 'cannot keep what it is sent: see its log', bad: true },
    {
      term: 'Running since',
      words: `${formatTime(startedSeconds, zone)} (${formatDuration(figures.measurements.at / 1000 - startedSeconds)})`,
    },
    ...(cores === null ? [] : [{ term: 'CPU', words: `${cores.toFixed(2)} cores` }]),
    ...figures.total('Memory of the process', 'process_resident_memory_bytes', formatBytes),
    ...figures.total(
      'Main thread held up (99 % of times)',
      'nodejs_eventloop_lag_p99_seconds',
      formatSeconds,
    ),
  ];
}

function work({ rows, unprocessedRows }: EngineStatus, figures: Figures): Figure[] {
  return [
    ...lag(figures),
    { term: 'Rows waiting for models', words: formatCount(unprocessedRows) },
    { term: 'Rows stored', words: formatCount(rows) },
    ...figures.counter('Samples that came', 'htmengine_storer_samples_total'),
    ...figures.counter('Rows through models', 'htmengine_scheduler_rows_total'),
    ...figures.counter('Rows scored', 'htmengine_anomaly_rows_total'),
    ...figures.counter('Results taken by consumers', 'htmengine_publishing_results_total'),
    ...figures.fault('Turns of the store that failed', 'htmengine_store_unavailable_total'),
  ];
}

/** From a sample's coming to its score. */
function lag(figures: Figures): Figure[] {
  const name = 'htmengine_anomaly_lag_seconds';
  if (figures.measurements.total(`${name}_count`) === null) return [];
  const [half, most] = [figures.quantile(name, 0.5), figures.quantile(name, 0.95)];
  const within = (seconds: number | null) =>
    seconds === null || !Number.isFinite(seconds)
      ? 'longer than it measures'
      : `within ${formatSeconds(seconds)}`;
  const words = half === null ? 'nothing came just now' : `half ${within(half)}, 95 % ${within(most)}`;
  return [{ term: 'From sample to score', words }];
}

const STATE_WORDS: readonly (readonly [string, string])[] = [
  ['ACTIVE', 'monitored'],
  ['CREATE_PENDING', 'being built'],
  ['PENDING_DATA', 'waiting for rows'],
  ['ERROR', 'in error'],
  ['UNMONITORED', 'not monitored'],
];

function models({ metrics }: EngineStatus, figures: Figures): Figure[] {
  const states = STATE_WORDS.filter(([state]) => (metrics[state] ?? 0) > 0);
  const budget = figures.measurements.total('htmengine_scheduler_memory_budget_bytes');
  const cpu = figures.measurements
    .by('htmengine_scheduler_model_cpu_seconds_total', 'part')
    .filter(([, seconds]) => seconds > 0);
  return [
    {
      term: 'Metrics',
      words:
        states.map(([state, words]) => `${formatCount(metrics[state] ?? 0)} ${words}`).join(', ') || 'none',
      bad: (metrics['ERROR'] ?? 0) > 0,
    },
    ...figures.total('In memory', 'htmengine_scheduler_warm_models'),
    ...figures.total('Their memory', 'htmengine_scheduler_warm_bytes', (bytes) =>
      budget === null ? formatBytes(bytes) : `${formatBytes(bytes)} of ${formatBytes(budget)}`,
    ),
    ...figures.total('Waiting for a worker', 'htmengine_scheduler_waiting_models'),
    ...figures.counter('Loaded or built', 'htmengine_scheduler_swap_ins_total'),
    ...figures.counter('Made room for others', 'htmengine_scheduler_evictions_total'),
    ...(cpu.length === 0
      ? []
      : [
          {
            term: 'CPU of the workers',
            words: cpu.map(([part, seconds]) => `${part} ${formatSeconds(seconds)}`).join(', '),
          },
        ]),
    ...figures.fault('Put into error', 'htmengine_scheduler_failed_models_total'),
    ...figures.fault('Workers replaced', 'htmengine_scheduler_worker_restarts_total'),
    ...figures.fault('Replayed rows that differ', 'htmengine_scheduler_determinism_mismatches_total'),
  ];
}

function refusals(figures: Figures): Figure[] {
  const counted = figures.measurements.by('htmengine_refused_samples_total', 'reason');
  return [
    ...counted
      .filter(([, count]) => count > 0)
      .map(([reason, count]) => ({ term: reason.replaceAll('_', ' '), words: formatCount(count) })),
    ...figures
      .fault('lost from Graphite senders', 'htmengine_graphite_lost_samples_total')
      .filter(({ bad }) => bad),
    ...figures
      .fault('Graphite datagrams dropped', 'htmengine_graphite_dropped_datagrams_total')
      .filter(({ bad }) => bad),
  ];
}

function queues(figures: Figures): Figure[] {
  return [
    ...figures.total('Samples for the storer', 'htmengine_bus_queued_samples'),
    ...figures.total('Senders held back', 'htmengine_bus_waiting_publishers'),
    ...figures.total('Metrics to be opened', 'htmengine_monitoring_pending_metrics'),
    ...figures.total('Metrics to be scored', 'htmengine_anomaly_pending_metrics'),
    ...figures.total('Metrics to be published', 'htmengine_publishing_pending_metrics'),
    ...figures.total('Transactions under way', 'htmengine_store_pending_transactions'),
    ...figures.total('Wake-ups left to the sweeps', 'htmengine_bus_dropped_wakeups_total'),
    ...figures.total('Graphite connections', 'htmengine_graphite_connections'),
  ];
}

function checkpoints(figures: Figures): Figure[] {
  return [
    ...figures.total('Rows learned since', 'htmengine_scheduler_unsaved_rows'),
    ...figures.total('Oldest', 'htmengine_scheduler_checkpoint_age_seconds', (age) =>
      age === 0 ? 'all are saved' : `${formatDuration(age)} ago`,
    ),
    ...figures.counter('Written', 'htmengine_scheduler_checkpoint_writes_total'),
    ...figures.total('Bytes written', 'htmengine_scheduler_checkpoint_bytes_total', formatBytes),
    ...figures.total('Rows run again after loading', 'htmengine_scheduler_replayed_rows_total'),
    ...figures.fault('Could not be saved', 'htmengine_scheduler_checkpoint_failures_total'),
    ...figures.fault('Could not be used', 'htmengine_scheduler_checkpoints_unusable_total'),
  ];
}

function disk(figures: Figures): Figure[] {
  const kinds = figures.measurements.by('htmengine_disk_bytes', 'kind');
  if (kinds.length === 0) return [];
  const taken = kinds.reduce((sum, [, bytes]) => sum + bytes, 0);
  const budget = figures.measurements.total('htmengine_disk_budget_bytes') ?? 0;
  return [
    ...kinds.map(([kind, bytes]) => ({
      term: kind === 'database' ? 'Database' : 'Saved models',
      words: formatBytes(bytes),
    })),
    {
      term: 'Budget',
      words: budget === 0 ? 'none set' : `${formatBytes(taken)} of ${formatBytes(budget)}`,
      bad: budget > 0 && taken > budget,
    },
    ...figures.total('Free', 'htmengine_disk_free_bytes', formatBytes),
  ];
}

function leases({ leases: shares }: EngineStatus, figures: Figures): Figure[] {
  if (shares.length === 0) return [];
  return [
    ...shares.map(({ stage, owner, partitions, alive }) => ({
      term: `${stage} ${owner === null ? 'nobody' : owner.slice(0, 8)}`,
      words: `${formatCount(partitions)} partitions${alive ? '' : owner === null ? ' to be taken' : ', not heard of'}`,
      bad: !alive && partitions > 0,
    })),
    ...figures.counter('Changes of hands', 'htmengine_ownership_changes_total'),
    ...figures.fault('Renewals that failed', 'htmengine_ownership_renewal_failures_total'),
  ];
}
