/**
 * Writes the series of the model reference's end-to-end test (section 12.10) to src/htm/testing/sine-series.json:
 * 400 hourly values of a daily sine, rounded half up to two decimals, with a spike. It is kept as a file because
 * sines may differ in the last bit between machines. Run: node scripts/sine-series.ts
 */
import { writeFileSync } from 'node:fs';

const values = Array.from({ length: 400 }, (_, t) => {
  if (t === 350) return 95;
  const value = 50 + 40 * Math.sin((2 * Math.PI * t) / 24);
  return Math.floor(100 * value + 0.5) / 100;
});
const file = new URL('../src/htm/testing/sine-series.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(values)}\n`);
