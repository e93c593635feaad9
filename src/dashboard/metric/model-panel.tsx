import type { ApiClient } from '../api/client.ts';
import type { LikelihoodDetails, Metric, ModelDetails } from '../api/contract.ts';
import { formatBytes, formatCount, formatTime, formatValue, type Zone } from '../model/format.ts';
import { toFragment, type Window } from '../model/route.ts';
import { usePolled } from '../state/polled.ts';
import { zone } from '../state/preferences.ts';
import { Histogram } from './histogram.tsx';
import { ModelActions } from './model-actions.tsx';

const REFRESH_MS = 10_000;
/** What is shown around a row that failed, seconds on either side. */
const AROUND_FAILURE = 6 * 3600;

interface ModelPanelProperties {
  readonly metric: Metric;
  readonly client: ApiClient;
  /** What the chart shows, to begin with where an interval is asked for; null for the newest rows. */
  readonly window: Window | null;
  /** Waits for a change and reads the metric anew. */
  readonly onChange: (work: Promise<void>) => Promise<void>;
}

/** The model of a monitored metric: what it has learned from, what it takes, how its scores are distributed, what may be done to it. */
export function ModelPanel({ metric, client, window, onChange }: ModelPanelProperties) {
  const polled = usePolled(
    async (): Promise<[ModelDetails, LikelihoodDetails]> =>
      Promise.all([client.model(metric.name), client.likelihood(metric.name)]),
    `${metric.name} ${metric.state}`,
    REFRESH_MS,
  );
  const { value, problem } = polled.state.value;
  if (value === null) {
    return problem === null ? null : <p class="muted">The model could not be read: {problem}</p>;
  }
  const [model, likelihood] = value;
  return (
    <section class="panel model" aria-label="Model">
      <h2>Model</h2>
      {model.failure !== null && <Failure name={metric.name} failure={model.failure} />}
      <dl class="figures">
        {figuresOf(model, zone.value).map(([term, words]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
      <Histogram likelihood={likelihood} />
      <ModelActions
        name={metric.name}
        model={model}
        client={client}
        window={window ?? { from: (metric.lastTimestamp ?? 0) - 3600, to: metric.lastTimestamp ?? 0 }}
        onChange={async (work) => {
          await onChange(work);
          await polled.reread();
        }}
      />
    </section>
  );
}

function Failure({
  name,
  failure,
}: {
  readonly name: string;
  readonly failure: NonNullable<ModelDetails['failure']>;
}) {
  const { message, row } = failure;
  return (
    <p class="banner bad">
      {message}{' '}
      {row !== null && (
        <a
          href={toFragment({
            view: 'metric',
            name,
            window: { from: row.timestamp - AROUND_FAILURE, to: row.timestamp + AROUND_FAILURE },
          })}
        >
          {`Row ${formatCount(row.rowid)}: ${formatValue(row.value)} at ${formatTime(row.timestamp, zone.value)}`}
        </a>
      )}
    </p>
  );
}

function figuresOf(model: ModelDetails, shownZone: Zone): [string, string][] {
  const { generation, range, resolution, startRowid, processedRowid, cost, diskBytes, checkpoints } = model;
  const seen =
    startRowid === null || processedRowid === null ? 0 : Math.max(0, processedRowid - startRowid + 1);
  const known = (value: number | null) => (value === null ? 'not known yet' : formatValue(value));
  return [
    ['Generation', `${formatCount(generation)}, ${formatCount(seen)} rows seen`],
    ['Learning', model.learns ? 'on' : 'off: it scores by what it has learned'],
    ...model.leftOut.map(({ from, to }): [string, string] => [
      'Not learned',
      `${formatTime(from, shownZone)} to ${formatTime(to, shownZone)}`,
    ]),
    ['Range', range === null ? 'not known yet' : `${formatValue(range.min)} to ${formatValue(range.max)}`],
    ['Values it tells apart', known(resolution)],
    ['Memory', cost === null ? 'not run by this process' : memoryWords(cost)],
    [
      'On disk',
      `${formatBytes(diskBytes.checkpoints)} of saved models, about ${formatBytes(diskBytes.rows)} of rows`,
    ],
    ['Saved at row', checkpoints.map(({ rowid }) => formatCount(rowid)).join(', ') || 'not yet'],
  ];
}

function memoryWords({ warm, bytes, loadMs, rowMs }: NonNullable<ModelDetails['cost']>): string {
  const size = warm ? `${formatBytes(bytes)}, loaded` : `${formatBytes(bytes)} when loaded`;
  const ms = (time: number) => `${formatValue(Number(time.toPrecision(2)))} ms`;
  return `${size}; CPU ${rowMs === null ? '' : `${ms(rowMs)} a row, `}${ms(loadMs)} to load`;
}
