/** Writes the pages that are made from the source: `npm run docs`. A test says when they are stale. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cliPage } from './cli-page.ts';
import { configurationPage } from './configuration-page.ts';
import { httpPage } from './http-page.ts';
import { metricsPage } from './metrics-page.ts';
import { migratingPage } from './migrating-page.ts';

const docs = join(import.meta.dirname, '../docs');
const write = (page: string, text: string) => writeFileSync(join(docs, page), text);
write('configuration.md', configurationPage());
write('migrating.md', migratingPage(readFileSync(join(docs, 'migrating.md'), 'utf8')));
write('reference/commands.md', cliPage());
write('reference/http.md', httpPage());
write('reference/metrics.md', await metricsPage());
