import { readFileSync } from 'node:fs';

/** The values of the reference's end-to-end test (section 12.10), one an hour from midnight; made by scripts/sine-series.ts. */
export const sineSeries = JSON.parse(
  readFileSync(new URL('./sine-series.json', import.meta.url), 'utf8'),
) as readonly number[];
