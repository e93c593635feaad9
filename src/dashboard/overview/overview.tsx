import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ApiClient } from '../api/client.ts';
import type { Metric, RankedPeriod } from '../api/contract.ts';
import { arrange, type Order, ORDERS, rankedPeriod } from '../model/arrange.ts';
import { formatCount } from '../model/format.ts';
import { groupByPrefix, ungrouped } from '../model/groups.ts';
import type { Route } from '../model/route.ts';
import { amend } from '../state/address.ts';
import type { Fleet } from '../state/fleet.ts';
import { usePolled } from '../state/polled.ts';
import { AwayNotice } from '../widgets/away-notice.tsx';
import { EmptyNotice } from './empty-notice.tsx';
import { MetricList } from './metric-list.tsx';

/** Rows change places this often at the most: what moves all the time cannot be read or clicked. */
const REORDER_MS = 2000;

const ORDER_WORDS: Readonly<Record<Order, string>> = {
  anomaly: 'Most anomalous now',
  hour: 'Most anomalous: last hour',
  day: 'Most anomalous: last day',
  week: 'Most anomalous: last week',
  name: 'By name',
};
/** A ranking is read anew this often. */
const RANKING_MS = 10_000;

interface OverviewProperties {
  readonly client: ApiClient;
  readonly fleet: Fleet;
  readonly shown: Shown;
}

type Shown = Extract<Route, { view: 'overview' }>;

/** All metrics, the most anomalous first. */
export function Overview({ client, fleet, shown }: OverviewProperties) {
  const metrics = fleet.metrics.value;
  const { filter, order, grouped } = shown;
  const period = rankedPeriod(order);
  const ranking = useRanking(client, period);
  const arranged = useArranged(metrics, filter, order, ranking.places);
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const toggle = (prefix: string) => setFolded((before) => before.symmetricDifference(new Set([prefix])));
  const away = fleet.connection.value.state === 'away';
  if (!fleet.loaded.value && metrics.size === 0) {
    return away ? (
      <AwayNotice fleet={fleet} />
    ) : (
      <p class="notice" role="status">
        Reading the metrics…
      </p>
    );
  }
  if (metrics.size === 0) {
    return (
      <>
        <AwayNotice fleet={fleet} />
        <EmptyNotice />
      </>
    );
  }
  return (
    <>
      <AwayNotice fleet={fleet} />
      <Toolbar shown={shown} found={arranged.length} all={metrics.size} />
      {ranking.problem !== null && !away && (
        <p class="banner bad" role="alert">
          The order could not be read: {ranking.problem}
        </p>
      )}
      {arranged.length === 0 ? (
        <p class="notice">No metric’s name has “{filter}”.</p>
      ) : (
        <MetricList
          items={grouped ? groupByPrefix(arranged, folded) : ungrouped(arranged)}
          period={period}
          bars={ranking.bars}
          onToggle={toggle}
        />
      )}
    </>
  );
}

/** Places and bars by name for an order by a period; empty for another order, or until it was read. */
function useRanking(client: ApiClient, period: RankedPeriod | null) {
  const polled = usePolled(
    async () => (period === null ? [] : client.ranking(period)),
    period ?? 'none',
    RANKING_MS,
  );
  const { value, problem } = polled.state.value;
  return useMemo(
    () => ({
      places: new Map(value?.map(({ name }, place) => [name, place])),
      bars: new Map(value?.map(({ name, bars }) => [name, bars])),
      problem,
    }),
    [value, problem],
  );
}

interface ToolbarProperties {
  readonly shown: Shown;
  /** Metrics that the filter finds. */
  readonly found: number;
  readonly all: number;
}

function Toolbar({ shown, found, all }: ToolbarProperties) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== '/' || event.target instanceof HTMLInputElement) return;
      event.preventDefault();
      input.current?.focus();
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);
  return (
    <div class="toolbar">
      <h1>Metrics</h1>
      <span class="count" role="status">
        {found === all ? formatCount(all) : `${formatCount(found)} of ${formatCount(all)}`}
      </span>
      <span class="spacer" />
      <input
        ref={input}
        type="search"
        aria-label="Filter by name"
        placeholder="Filter by name"
        title="Press / to come here"
        value={shown.filter}
        onInput={({ currentTarget }) => amend({ ...shown, filter: currentTarget.value })}
      />
      <select
        aria-label="Order"
        value={shown.order}
        onChange={({ currentTarget }) =>
          amend({ ...shown, order: ORDERS.find((each) => each === currentTarget.value) ?? shown.order })
        }
      >
        {ORDERS.map((each) => (
          <option key={each} value={each}>
            {ORDER_WORDS[each]}
          </option>
        ))}
      </select>
      <button
        type="button"
        aria-pressed={shown.grouped}
        title="By what names begin with"
        onClick={() => amend({ ...shown, grouped: !shown.grouped })}
      >
        Group
      </button>
    </div>
  );
}

/** The metrics arranged: at once for another filter, order or number of metrics, else every `REORDER_MS`. */
function useArranged(
  metrics: ReadonlyMap<string, Metric>,
  filter: string,
  order: Order,
  places: ReadonlyMap<string, number>,
): Metric[] {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTurn((count) => count + 1), REORDER_MS);
    return () => clearInterval(timer);
  }, []);
  const names = useRef<{ readonly key: string; readonly names: readonly string[] } | null>(null);
  const key = JSON.stringify([turn, filter, order, metrics.size, places.size]);
  if (names.current?.key !== key) {
    names.current = { key, names: arrange(metrics.values(), filter, order, places).map(({ name }) => name) };
  }
  return names.current.names.map((name) => metrics.get(name)).filter((metric) => metric !== undefined);
}
