import { describeStrip, heatLevel } from '../model/heat.ts';
import { STRIP_SCORES } from '../model/apply-result.ts';

const HEIGHT = 20;
const LEAST_HEIGHT = 3;

/** Recent scores as bars, newest at the right; height and colour both say how anomalous, and the label says it in words. */
export function HeatStrip({ scores }: { readonly scores: readonly number[] }) {
  const label = describeStrip(scores);
  const paths = new Map<number, string>();
  const offset = STRIP_SCORES - scores.length;
  for (const [i, score] of scores.entries()) {
    const height = LEAST_HEIGHT + Math.min(1, score) * (HEIGHT - LEAST_HEIGHT);
    const bar = `M${offset + i} ${HEIGHT}v-${height.toFixed(1)}h.8v${height.toFixed(1)}z`;
    const level = heatLevel(score);
    paths.set(level, (paths.get(level) ?? '') + bar);
  }
  return (
    <svg
      class="strip"
      viewBox={`0 0 ${STRIP_SCORES} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <title>{label}</title>
      {[...paths].map(([level, path]) => (
        <path key={level} class={`heat-${level}`} d={path} />
      ))}
    </svg>
  );
}
