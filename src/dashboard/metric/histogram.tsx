import type { LikelihoodDetails } from '../api/contract.ts';
import { formatCount } from '../model/format.ts';

const HEIGHT = 60;

/**
 * How often which averaged raw score came (the root of the count, so that seldom ones are seen), the curve's mean, and where
 * the newest average stands.
 */
export function Histogram({ likelihood }: { readonly likelihood: LikelihoodDetails }) {
  const { histogram, distribution, constants } = likelihood;
  const { counts, binWidth } = histogram;
  const rows = counts.reduce((sum, count) => sum + count, 0);
  if (rows === 0) return <p class="muted">No scores to show yet.</p>;
  const highest = Math.sqrt(Math.max(...counts));
  const label = labelOf(likelihood, rows);
  const at = (score: number) => Math.min(1, Math.max(0, score)) / binWidth;
  const mark = (score: number, kind: string) => (
    <line class={kind} x1={at(score)} x2={at(score)} y1={0} y2={HEIGHT} vector-effect="non-scaling-stroke" />
  );
  return (
    <figure class="histogram">
      <svg
        viewBox={`0 0 ${counts.length} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={label}
      >
        {counts.map((count, i) => {
          const height = (Math.sqrt(count) / highest) * HEIGHT;
          return <rect key={i} x={i + 0.1} width={0.8} y={HEIGHT - height} height={height} />;
        })}
        {distribution !== null && mark(distribution.mean, 'mean')}
        {distribution !== null && mark(distribution.averageScore, 'present')}
      </svg>
      <div class="scale" aria-hidden="true">
        <span>0, all expected</span>
        <span>1, nothing expected</span>
      </div>
      <figcaption class="muted">
        Raw scores, averaged over {constants.averagingWindow} rows: {label}. Dotted: the mean; line: the
        newest average.
      </figcaption>
    </figure>
  );
}

function labelOf({ distribution }: LikelihoodDetails, rows: number): string {
  const counted = `${formatCount(rows)} rows`;
  if (distribution === null) return `${counted}, too few yet to tell what is usual`;
  const { mean, standardDeviation, averageScore } = distribution;
  const away = (averageScore - mean) / standardDeviation;
  const where =
    Math.abs(away) < 1
      ? 'close to the mean'
      : `${Math.abs(away).toFixed(1)} standard deviations ${away > 0 ? 'above' : 'below'} it`;
  return `${counted}, mean ${mean.toFixed(3)}, standard deviation ${standardDeviation.toFixed(3)}; the newest is ${averageScore.toFixed(3)}, ${where}`;
}
