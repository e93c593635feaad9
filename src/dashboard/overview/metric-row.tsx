import { memo } from 'preact/compat';
import type { Metric, RankedPeriod } from '../api/contract.ts';
import { presentAnomaly } from '../model/arrange.ts';
import { STRIP_SCORES } from '../model/apply-result.ts';
import { describeState } from '../model/describe.ts';
import { formatScore, formatTime, formatValue, type Zone } from '../model/format.ts';
import { describeBars, describeStrip, heatLevel, heatWords } from '../model/heat.ts';
import { toFragment } from '../model/route.ts';
import { HeatStrip } from './heat-strip.tsx';

/** Bars of a ranking. */
const PERIOD_BARS = 24;

interface MetricRowProperties {
  readonly metric: Metric;
  /** Place in the whole list, from 0. */
  readonly index: number;
  readonly zone: Zone;
  /** What the strip shows; null for the newest scores. */
  readonly period: RankedPeriod | null;
  /** Those of the period. */
  readonly bars: readonly (number | null)[];
}

/** One metric of the overview. */
export const MetricRow = memo(function MetricRow({ metric, index, zone, period, bars }: MetricRowProperties) {
  const { words, mood } = describeState(metric);
  const score = metric.lastLogLikelihood;
  return (
    // The first row of the table is its head, so rows count from 2.
    <div class={`row heat-edge-${heatLevel(presentAnomaly(metric))}`} role="row" aria-rowindex={index + 2}>
      <span class="name" role="cell">
        <a
          href={toFragment({ view: 'metric', name: metric.name, window: null })}
          data-index={index}
          title={metric.name}
        >
          {metric.name}
        </a>
        {metric.demo && <span class="tag">demo</span>}
      </span>
      <span class={`state ${mood}`} role="cell" title={words}>
        {words}
      </span>
      <span
        class="value"
        role="cell"
        title={metric.lastTimestamp === null ? 'no rows yet' : `at ${formatTime(metric.lastTimestamp, zone)}`}
      >
        {formatValue(metric.lastValue)}
      </span>
      <span class="score" role="cell" title={score === null ? 'no score yet' : heatWords(score)}>
        {score !== null && <i class={`dot heat-${heatLevel(score)}`} aria-hidden="true" />}
        {formatScore(score)}
      </span>
      <span class="recent" role="cell">
        {period === null ? (
          <HeatStrip
            scores={metric.recent ?? []}
            places={STRIP_SCORES}
            label={describeStrip(metric.recent ?? [])}
          />
        ) : (
          <HeatStrip scores={bars} places={PERIOD_BARS} label={describeBars(bars, period)} />
        )}
      </span>
    </div>
  );
});
