import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { RankedPeriod } from '../api/contract.ts';
import type { ListItem } from '../model/groups.ts';
import { type Viewport, visibleRows } from '../model/visible-rows.ts';
import { zone } from '../state/preferences.ts';
import { GroupRow } from './group-row.tsx';
import { MetricRow } from './metric-row.tsx';

/** As in `overview.css`. */
const ROW_HEIGHT = 44;
const NARROW_ROW_HEIGHT = 96;
const NONE: readonly number[] = [];
const narrow = matchMedia('(max-width: 719px)');

interface MetricListProperties {
  readonly items: readonly ListItem[];
  /** Whose bars the rows show; null for their newest scores. */
  readonly period: RankedPeriod | null;
  readonly bars: ReadonlyMap<string, readonly (number | null)[]>;
  /** Folds or unfolds a group. */
  readonly onToggle: (prefix: string) => void;
}

/** The metrics as a table of which only the visible part exists, so that thousands scroll smoothly. */
export function MetricList({ items, period, bars, onToggle }: MetricListProperties) {
  const list = useRef<HTMLDivElement>(null);
  const viewport = useViewport(list);
  const rowHeight = narrow.matches ? NARROW_ROW_HEIGHT : ROW_HEIGHT;
  const { first, end } = visibleRows(viewport, rowHeight, items.length);
  const focusRow = useFocusRow(list, rowHeight, items.length);

  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
    const at = event.target instanceof HTMLElement ? Number(event.target.dataset['index'] ?? NaN) : NaN;
    if (Number.isNaN(at)) return;
    if (step !== undefined) focusRow(at + step);
    else if (event.key === 'Home') focusRow(0);
    else if (event.key === 'End') focusRow(items.length - 1);
    else return;
    event.preventDefault();
  };

  return (
    <div class="metrics" role="table" aria-label="Metrics" aria-rowcount={items.length + 1}>
      <div class="row head" role="row" aria-rowindex={1}>
        <span role="columnheader">Metric</span>
        <span role="columnheader">State</span>
        <span class="value" role="columnheader">
          Last value
        </span>
        <span
          class="score"
          role="columnheader"
          title="Log-likelihood of an anomaly, 0 to 1; anomalous from 0.5"
        >
          Score
        </span>
        <span role="columnheader">{period === null ? 'Recent scores' : `Last ${period}`}</span>
      </div>
      <div
        ref={list}
        class="body"
        role="rowgroup"
        style={{ height: `${items.length * rowHeight}px` }}
        onKeyDown={onKeyDown}
      >
        <div class="shown" role="presentation" style={{ transform: `translateY(${first * rowHeight}px)` }}>
          {items
            .slice(first, end)
            .map((item, i) =>
              item.kind === 'group' ? (
                <GroupRow key={`group ${item.prefix}`} group={item} index={first + i} onToggle={onToggle} />
              ) : (
                <MetricRow
                  key={item.metric.name}
                  metric={item.metric}
                  index={first + i}
                  zone={zone.value}
                  period={period}
                  bars={bars.get(item.metric.name) ?? NONE}
                />
              ),
            )}
        </div>
      </div>
    </div>
  );
}

/** Where the list is in the window, measured once a frame at the most. */
function useViewport(list: { readonly current: HTMLElement | null }): Viewport {
  const [viewport, setViewport] = useState<Viewport>({ scrolled: 0, height: innerHeight });
  useLayoutEffect(() => {
    let frame = 0;
    const measure = () => {
      frame = 0;
      const top = list.current?.getBoundingClientRect().top ?? 0;
      setViewport({ scrolled: -top, height: innerHeight });
    };
    const soon = () => {
      if (frame === 0) frame = requestAnimationFrame(measure);
    };
    measure();
    addEventListener('scroll', soon, { passive: true });
    addEventListener('resize', soon);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener('scroll', soon);
      removeEventListener('resize', soon);
    };
  }, []);
  return viewport;
}

/** Moves the keyboard to a row, which may have to be scrolled into being first. */
function useFocusRow(list: { readonly current: HTMLElement | null }, rowHeight: number, rows: number) {
  const [wanted, setWanted] = useState<number | null>(null);
  const focus = (row: number): boolean => {
    const link = list.current?.querySelector<HTMLElement>(`[data-index="${row}"]`);
    link?.focus({ preventScroll: true });
    return link !== null && link !== undefined;
  };
  useEffect(() => {
    if (wanted !== null && focus(wanted)) setWanted(null);
  });
  return useCallback(
    (index: number) => {
      const row = Math.min(Math.max(0, index), rows - 1);
      const top = (list.current?.getBoundingClientRect().top ?? 0) + row * rowHeight;
      if (top < rowHeight) scrollBy({ top: top - 2 * rowHeight });
      else if (top > innerHeight - 2 * rowHeight) scrollBy({ top: top - innerHeight + 2 * rowHeight });
      // At once where it can be: the next key begins where this one led, however soon it comes.
      setWanted(focus(row) ? null : row);
    },
    [rowHeight, rows],
  );
}
