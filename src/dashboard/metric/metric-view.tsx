import { useEffect, useMemo } from 'preact/hooks';
import type { ApiClient } from '../api/client.ts';
import type { Metric } from '../api/contract.ts';
import { anomalySpans, type AnomalySpan } from '../model/anomaly-spans.ts';
import { isMonitored } from '../model/describe.ts';
import { formatCount } from '../model/format.ts';
import { OVERVIEW, toFragment, type Window } from '../model/route.ts';
import { around } from '../model/zoom.ts';
import { amend } from '../state/address.ts';
import type { Fleet } from '../state/fleet.ts';
import { zone } from '../state/preferences.ts';
import { Series, type SeriesState } from '../state/series.ts';
import { AwayNotice } from '../widgets/away-notice.tsx';
import { ChartPane } from './chart-pane.tsx';
import { MetricHeading } from './metric-heading.tsx';
import { SpanList } from './span-list.tsx';

/** A span is shown with at least this many seconds around it. */
const LEAST_AROUND = 6 * 3600;

interface MetricViewProperties {
  readonly client: ApiClient;
  readonly fleet: Fleet;
  readonly name: string;
  readonly window: Window | null;
}

/** One metric: its state, its values and scores, its anomalous spans, and what may be done with it. */
export function MetricView({ client, fleet, name, window }: MetricViewProperties) {
  const metric = fleet.metrics.value.get(name);
  const series = useMemo(() => new Series(client, name), [client, name]);
  useEffect(() => void series.show(window), [series, window?.from, window?.to]);
  useEffect(() => {
    if (metric !== undefined) void series.follow(isMonitored(metric));
  }, [series, metric?.lastTimestamp, metric?.lastScoredTimestamp, metric?.state]);

  const change = async (work: Promise<void>) => {
    await work;
    await fleet.reread(name);
    await series.reread();
  };
  return (
    <>
      <AwayNotice fleet={fleet} />
      <a class="back" href={toFragment(OVERVIEW)}>
        ← All metrics
      </a>
      {metric === undefined ? (
        <Missing name={name} fleet={fleet} />
      ) : (
        <>
          <MetricHeading
            metric={metric}
            zone={zone.value}
            onMonitor={(range) => change(client.monitor(name, range))}
            onStop={() => change(client.stop(name))}
          />
          <Rows
            metric={metric}
            series={series}
            window={window}
            away={fleet.connection.value.state === 'away'}
          />
        </>
      )}
    </>
  );
}

interface RowsProperties {
  readonly metric: Metric;
  readonly series: Series;
  readonly window: Window | null;
  /** The engine is away: said elsewhere, so a failed reading is not said again. */
  readonly away: boolean;
}

function Rows({ metric, series, window, away }: RowsProperties) {
  const columns = series.state.value;
  const problem = series.problem.value;
  const spans = useMemo(
    () => (columns === null ? [] : anomalySpans(columns.timestamps, columns.scores)),
    [columns],
  );
  const setWindow = (to: Window | null) => amend({ view: 'metric', name: metric.name, window: to });
  return (
    <>
      {problem !== null && !away && (
        <p class="banner bad" role="alert">
          The rows could not be read: {problem}
        </p>
      )}
      {columns === null && problem === null && (
        <p class="notice" role="status">
          Reading the rows…
        </p>
      )}
      {columns !== null && columns.timestamps.length === 0 && (
        <NoRows window={window} onReset={() => setWindow(null)} />
      )}
      {columns !== null && columns.timestamps.length > 0 && (
        <>
          <ChartPane
            columns={columns}
            window={window}
            spans={spans}
            last={metric.lastTimestamp ?? columns.timestamps.at(-1) ?? 0}
            onWindow={setWindow}
          />
          {columns.cut && <Cut rows={columns.timestamps.length} />}
          {isMonitored(metric) && (
            <SpanList
              name={metric.name}
              spans={spans}
              zone={zone.value}
              windowOf={(span) => windowAround(span, columns)}
            />
          )}
        </>
      )}
    </>
  );
}

function NoRows({ window, onReset }: { readonly window: Window | null; readonly onReset: () => void }) {
  if (window === null) return <p class="notice">No rows yet. The first one appears here by itself.</p>;
  return (
    <p class="notice">
      There are no rows in this stretch of time.{' '}
      <button type="button" onClick={onReset}>
        Show the newest
      </button>
    </p>
  );
}

function Cut({ rows }: { readonly rows: number }) {
  return (
    <p class="muted">
      The newest {formatCount(rows)} rows of this stretch; zoom or choose a stretch for others.
    </p>
  );
}

function Missing({ name, fleet }: { readonly name: string; readonly fleet: Fleet }) {
  if (!fleet.loaded.value) {
    return (
      <p class="notice" role="status">
        Reading the metric…
      </p>
    );
  }
  return (
    <section class="notice">
      <h1>There is no metric “{name}”</h1>
      <p>It may have been removed. It appears here as soon as a first value comes.</p>
    </section>
  );
}

function windowAround(span: AnomalySpan, { timestamps }: SeriesState): Window | null {
  return around(span, LEAST_AROUND, { from: timestamps[0] ?? span.from, to: timestamps.at(-1) ?? span.to });
}
