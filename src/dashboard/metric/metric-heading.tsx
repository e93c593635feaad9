import type { ComponentChildren } from 'preact';
import type { Metric, ModelRange } from '../api/contract.ts';
import { describeState } from '../model/describe.ts';
import { formatCount, formatScore, formatTime, formatValue, type Zone } from '../model/format.ts';
import { heatLevel, heatWords } from '../model/heat.ts';
import { Actions } from './actions.tsx';

interface MetricHeadingProperties {
  readonly metric: Metric;
  readonly zone: Zone;
  readonly onMonitor: (range: ModelRange | null) => Promise<void>;
  readonly onStop: () => Promise<void>;
}

/** Name, state in words, newest figures, actions. */
export function MetricHeading({ metric, zone, onMonitor, onStop }: MetricHeadingProperties) {
  const { words, mood } = describeState(metric);
  const score = metric.lastLogLikelihood;
  return (
    <section class="heading" aria-label="Metric">
      <div class="title">
        <h1>{metric.name}</h1>
        {metric.demo && <span class="tag">demo</span>}
        <span class={`state ${mood}`}>{words}</span>
        <span class="spacer" />
        <Actions metric={metric} onMonitor={onMonitor} onStop={onStop} />
      </div>
      <dl class="facts">
        <Fact term="Last value">{formatValue(metric.lastValue)}</Fact>
        <Fact term="Score">
          {score === null ? (
            'none yet'
          ) : (
            <>
              <i class={`dot heat-${heatLevel(score)}`} aria-hidden="true" />
              {`${formatScore(score)}, ${heatWords(score)}`}
            </>
          )}
        </Fact>
        <Fact term="Last row">
          {metric.lastTimestamp === null ? 'none yet' : formatTime(metric.lastTimestamp, zone)}
        </Fact>
        <Fact term="Rows">{rowsInWords(metric)}</Fact>
      </dl>
    </section>
  );
}

function rowsInWords({ rows, scoredRows }: Metric): string {
  if (rows === scoredRows && rows > 0) return `${formatCount(rows)}, all scored`;
  return `${formatCount(rows)}, ${scoredRows === 0 ? 'none' : formatCount(scoredRows)} scored`;
}

function Fact({ term, children }: { readonly term: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}
