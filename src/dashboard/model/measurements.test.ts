import { expect, it } from 'vitest';
import { Measurements } from './measurements.ts';

const text = (samples: number, fast: number, all: number) => `# HELP stored_total Samples
# TYPE stored_total counter
stored_total ${samples}

refused_total{reason="duplicate"} 2
refused_total{reason="a \\"b\\" \\\\ c,d=\\n"} 5 1790000000000
lag_bucket{le="0.1"} ${fast}
lag_bucket{le="1"} ${all}
lag_bucket{le="+Inf"} ${all}
`;

it('reads what Prometheus would, labels with escapes included', () => {
  const read = new Measurements(text(1.5e3, 0, 0), 0);
  expect(read.total('stored_total')).toBe(1500);
  expect(read.total('refused_total')).toBe(7);
  expect(read.by('refused_total', 'reason')).toEqual([
    ['a "b" \\ c,d=\n', 5],
    ['duplicate', 2],
  ]);
  expect(read.total('other_total')).toBeNull();
});

it('compares with an earlier reading', () => {
  const before = new Measurements(text(1000, 10, 10), 0);
  const now = new Measurements(text(1250, 19, 20), 5000);
  expect(now.growth('stored_total', before)).toBe(250);
  expect(before.growth('stored_total', now)).toBeNull();
  expect(now.growth('other_total', before)).toBeNull();
  expect(now.quantile('lag', 0.5, before)).toBe(0.1);
  expect(now.quantile('lag', 0.95, before)).toBe(1);
  expect(now.quantile('lag', 0.5, now)).toBeNull();
});
