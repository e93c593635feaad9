import type { SampleDelivery, SampleRefusal } from '../bus/bus.ts';
import type { AppendOutcome, MetricSamples } from '../store/log.ts';

/** Rows the log takes of one entry. */
const MAX_ENTRY_SAMPLES = 10_000;

/** The samples of one metric, and for each where it came from: the index of its delivery and its index there. */
export interface MetricGroup extends MetricSamples {
  readonly timestamps: number[];
  readonly values: number[];
  readonly deliveries: number[];
  readonly positions: number[];
}

/** Sorts samples by metric: metrics in the order of their first sample, each one's samples in the order they came. */
export function groupByMetric(
  deliveries: readonly SampleDelivery[],
  maxSamples = MAX_ENTRY_SAMPLES,
): MetricGroup[] {
  const groups: MetricGroup[] = [];
  const open = new Map<string, MetricGroup>();
  deliveries.forEach(({ samples }, delivery) => {
    samples.forEach(({ name, timestamp, value }, position) => {
      let group = open.get(name);
      if (group === undefined || group.timestamps.length === maxSamples) {
        group = { name, timestamps: [], values: [], deliveries: [], positions: [] };
        open.set(name, group);
        groups.push(group);
      }
      group.timestamps.push(timestamp);
      group.values.push(value);
      group.deliveries.push(delivery);
      group.positions.push(position);
    });
  });
  return groups;
}

/** Which samples of each of `deliveryCount` deliveries were refused, ascending by index. */
export function refusalsByDelivery(
  groups: readonly MetricGroup[],
  outcomes: readonly AppendOutcome[],
  deliveryCount: number,
): SampleRefusal[][] {
  const lists = Array.from({ length: deliveryCount }, (): SampleRefusal[] => []);
  outcomes.forEach(({ refused }, i) => {
    const group = groups[i];
    for (const { index, reason } of refused) {
      const delivery = group?.deliveries[index];
      const position = group?.positions[index];
      if (delivery === undefined || position === undefined)
        throw new RangeError('the log refused a sample it was not given');
      lists[delivery]?.push({ index: position, reason });
    }
  });
  for (const list of lists) list.sort((a, b) => a.index - b.index);
  return lists;
}
