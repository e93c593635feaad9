import { formatCount } from '../model/format.ts';
import type { ListItem } from '../model/groups.ts';

interface GroupRowProperties {
  readonly group: Extract<ListItem, { kind: 'group' }>;
  /** Place in the whole list, from 0. */
  readonly index: number;
  readonly onToggle: (prefix: string) => void;
}

/** The line above the metrics of a prefix, which folds them away. */
export function GroupRow({ group: { prefix, metrics, folded }, index, onToggle }: GroupRowProperties) {
  return (
    <div class="row group-row" role="row" aria-rowindex={index + 2}>
      <span class="name" role="cell">
        <button type="button" data-index={index} aria-expanded={!folded} onClick={() => onToggle(prefix)}>
          <span aria-hidden="true">{folded ? '▸' : '▾'}</span> {prefix === '' ? 'without a prefix' : prefix}
        </button>
        <span class="count">{formatCount(metrics)}</span>
      </span>
    </div>
  );
}
