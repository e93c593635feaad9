import { useEffect, useRef, useState } from 'preact/hooks';
import type { Metric } from '../api/contract.ts';
import { arrange, type Order } from '../model/arrange.ts';
import { formatCount } from '../model/format.ts';
import { amend } from '../state/address.ts';
import type { Fleet } from '../state/fleet.ts';
import { AwayNotice } from '../widgets/away-notice.tsx';
import { EmptyNotice } from './empty-notice.tsx';
import { MetricList } from './metric-list.tsx';

/** Rows change places this often at the most: what moves all the time cannot be read or clicked. */
const REORDER_MS = 2000;

interface OverviewProperties {
  readonly fleet: Fleet;
  readonly filter: string;
  readonly order: Order;
}

/** All metrics, the most anomalous first. */
export function Overview({ fleet, filter, order }: OverviewProperties) {
  const metrics = fleet.metrics.value;
  const arranged = useArranged(metrics, filter, order);
  if (!fleet.loaded.value && metrics.size === 0) {
    return fleet.connection.value.state === 'away' ? (
      <AwayNotice fleet={fleet} />
    ) : (
      <p class="notice" role="status">
        Reading the metrics…
      </p>
    );
  }
  return (
    <>
      <AwayNotice fleet={fleet} />
      {metrics.size === 0 ? (
        <EmptyNotice />
      ) : (
        <>
          <Toolbar filter={filter} order={order} shown={arranged.length} all={metrics.size} />
          {arranged.length === 0 ? (
            <p class="notice">No metric’s name has “{filter}”.</p>
          ) : (
            <MetricList metrics={arranged} />
          )}
        </>
      )}
    </>
  );
}

interface ToolbarProperties {
  readonly filter: string;
  readonly order: Order;
  readonly shown: number;
  readonly all: number;
}

function Toolbar({ filter, order, shown, all }: ToolbarProperties) {
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
        {shown === all ? formatCount(all) : `${formatCount(shown)} of ${formatCount(all)}`}
      </span>
      <span class="spacer" />
      <input
        ref={input}
        type="search"
        aria-label="Filter by name"
        placeholder="Filter by name"
        title="Press / to come here"
        value={filter}
        onInput={({ currentTarget }) => amend({ view: 'overview', filter: currentTarget.value, order })}
      />
      <select
        aria-label="Order"
        value={order}
        onChange={({ currentTarget }) =>
          amend({ view: 'overview', filter, order: currentTarget.value === 'name' ? 'name' : 'anomaly' })
        }
      >
        <option value="anomaly">Most anomalous first</option>
        <option value="name">By name</option>
      </select>
    </div>
  );
}

/** The metrics arranged: at once for another filter, order or number of metrics, else every `REORDER_MS`. */
function useArranged(metrics: ReadonlyMap<string, Metric>, filter: string, order: Order): Metric[] {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTurn((count) => count + 1), REORDER_MS);
    return () => clearInterval(timer);
  }, []);
  const names = useRef<{ readonly key: string; readonly names: readonly string[] } | null>(null);
  const key = JSON.stringify([turn, filter, order, metrics.size]);
  if (names.current?.key !== key) {
    names.current = { key, names: arrange(metrics.values(), filter, order).map(({ name }) => name) };
  }
  return names.current.names.map((name) => metrics.get(name)).filter((metric) => metric !== undefined);
}
