/** Writes the pages that are made from the source: `npm run docs`. A test says when they are stale. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configurationPage } from './configuration-page.ts';
import { migratingPage } from './migrating-page.ts';

const docs = join(import.meta.dirname, '../docs');
writeFileSync(join(docs, 'configuration.md'), configurationPage());
const migrating = join(docs, 'migrating.md');
writeFileSync(migrating, migratingPage(readFileSync(migrating, 'utf8')));
