import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { pageDirectory } from '../../src/api/page.ts';

const MAX_COMPRESSED_BYTES = 150_000;

it('the page is at most 150 kB, compressed', () => {
  const files = readdirSync(pageDirectory(), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const sizes = files.map(({ parentPath, name }) => gzipSync(readFileSync(join(parentPath, name))).length);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  console.info(`page: ${(bytes / 1000).toFixed(1)} kB in ${sizes.length} files, compressed with gzip`);
  expect(bytes).toBeGreaterThan(0);
  expect(bytes).toBeLessThanOrEqual(MAX_COMPRESSED_BYTES);
});
