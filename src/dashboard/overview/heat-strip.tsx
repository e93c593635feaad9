import { heatLevel } from '../model/heat.ts';

const HEIGHT = 20;
const LEAST_HEIGHT = 3;

interface HeatStripProperties {
  /** Oldest first; null where there is none. */
  readonly scores: readonly (number | null)[];
  /** Room for so many; fewer stand at the right. */
  readonly places: number;
  /** What is seen, in words. */
  readonly label: string;
}

/** Scores as bars, newest at the right; height and colour both say how anomalous, and the label says it in words. */
export function HeatStrip({ scores, places, label }: HeatStripProperties) {
  const paths = new Map<number, string>();
  const offset = places - scores.length;
  for (const [i, score] of scores.entries()) {
    if (score === null) continue;
    const height = LEAST_HEIGHT + Math.min(1, score) * (HEIGHT - LEAST_HEIGHT);
    const bar = `M${offset + i} ${HEIGHT}v-${height.toFixed(1)}h.8v${height.toFixed(1)}z`;
    const level = heatLevel(score);
    paths.set(level, (paths.get(level) ?? '') + bar);
  }
  return (
    <svg
      class="strip"
      viewBox={`0 0 ${places} ${HEIGHT}`}
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
