import type { Metric } from '../api/contract.ts';

/** A line of the list of metrics. */
export type ListItem =
  | { readonly kind: 'metric'; readonly metric: Metric }
  | {
      readonly kind: 'group';
      /** What its names begin with; empty for those without a prefix. */
      readonly prefix: string;
      readonly metrics: number;
      readonly folded: boolean;
    };

/** What a name begins with, up to the first `.`, `/` or `:` after its first character; empty if it has none. */
export function prefixOf(name: string): string {
  return /^.[^./:]*[./:]/su.exec(name)?.[0] ?? '';
}

/** The metrics under a line for each prefix: groups in the order of their first metrics, metrics in the order given. */
export function groupByPrefix(metrics: readonly Metric[], folded: ReadonlySet<string>): ListItem[] {
  const items: ListItem[] = [];
  for (const [prefix, members] of Map.groupBy(metrics, ({ name }) => prefixOf(name))) {
    items.push({ kind: 'group', prefix, metrics: members.length, folded: folded.has(prefix) });
    if (!folded.has(prefix)) items.push(...ungrouped(members));
  }
  return items;
}

export function ungrouped(metrics: readonly Metric[]): ListItem[] {
  return metrics.map((metric) => ({ kind: 'metric', metric }));
}
