import { useEffect, useLayoutEffect, useMemo } from 'preact/hooks';
import type { ApiClient } from '../api/client.ts';
import type { Metric } from '../api/contract.ts';
import { anomalySpans, type AnomalySpan } from '../model/anomaly-spans.ts';
import { isMonitored, standingWords } from '../model/describe.ts';
import { formatCount } from '../model/format.ts';
import { OVERVIEW, toFragment, type Window } from '../model/route.ts';
import { around } from '../model/zoom.ts';
import { amend } from '../state/address.ts';
import type { Fleet } from '../state/fleet.ts';
import { zone } from '../state/preferences.ts';
import { MOST_ROWS, Series, type SeriesState } from '../state/series.ts';
import { AwayNotice } from '../widgets/away-notice.tsx';
import { ChartPane } from './chart-pane.tsx';
import { MetricHeading } from './metric-heading.tsx';
import { ModelPanel } from './model-panel.tsx';
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
  // Before anything is painted, so that nothing else is asked for first.
  useLayoutEffect(() => {
    const shown = series.show(window);
    if (fleet.metrics.peek().get(name) === undefined) fleet.readAhead(name, shown);
  }, [series, window?.from, window?.to]);
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
          {isMonitored(metric) && (
            <ModelPanel metric={metric} client={client} window={window} onChange={change} />
          )}
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
    () => (columns === null ? [] : anomalySpans(columns.timestamps, columns.scores, columns.rowsPerPoint)),
    [columns],
  );
  const setWindow = (to: Window | null) => amend({ view: 'metric', name: metric.name, window: to });
  return (
    <>
      {isMonitored(metric) && (
        <Standing metric={metric} lastSpan={reachesNow(columns, metric) ? (spans.at(-1) ?? null) : null} />
      )}
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
            extent={{
              from: columns.extent.from,
              to: Math.max(columns.extent.to, metric.lastTimestamp ?? 0),
            }}
            beginsWithAll={metric.rows <= MOST_ROWS}
            spans={spans}
            usual={series.usual.value}
            onWindow={setWindow}
          />
          <Distance columns={columns} window={window} rows={metric.rows} />
          {isMonitored(metric) && (
            <SpanList
              spans={spans}
              zone={zone.value}
              isEstimate={columns.rowsPerPoint > 1}
              wayTo={(span, time) => (
                <a href={fragmentOf(metric.name, around(span, LEAST_AROUND, columns.extent))}>{time}</a>
              )}
            >
              <p>
                <a href={toFragment({ view: 'incidents', period: 'month', metric: metric.name })}>
                  Its incidents, to acknowledge or silence
                </a>
              </p>
            </SpanList>
          )}
        </>
      )}
    </>
  );
}

/** How the metric stands now, in a sentence. */
function Standing({ metric, lastSpan }: { readonly metric: Metric; readonly lastSpan: AnomalySpan | null }) {
  return (
    <p class="standing" role="status">
      {standingWords(metric, lastSpan, zone.value)}
    </p>
  );
}

/** Whether the rows are read one by one, up to the metric's newest scored one. */
function reachesNow(columns: SeriesState | null, { lastScoredTimestamp }: Metric): boolean {
  const last = columns?.rowsPerPoint === 1 ? columns.timestamps.at(-1) : undefined;
  return last !== undefined && lastScoredTimestamp !== null && last >= lastScoredTimestamp;
}

const fragmentOf = (name: string, window: Window | null) => toFragment({ view: 'metric', name, window });

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

interface DistanceProperties {
  readonly columns: SeriesState;
  readonly window: Window | null;
  /** All that are stored. */
  readonly rows: number;
}

/** What is not seen at this distance, in words. */
function Distance({ columns, window, rows }: DistanceProperties) {
  if (columns.rowsPerPoint > 1) {
    return (
      <p class="muted">
        Seen from afar: the lowest and the highest value and the highest score of every{' '}
        {formatCount(Math.round(2 * columns.rowsPerPoint))} rows. Zoom in to see each row.
      </p>
    );
  }
  if (window !== null || columns.timestamps.length >= rows) return null;
  return (
    <p class="muted">
      The newest {formatCount(columns.timestamps.length)} of {formatCount(rows)} rows; zoom out or choose All
      for the others.
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
