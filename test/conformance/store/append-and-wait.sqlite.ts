/** Run as a process of its own: appends what it is given as JSON and says so, then waits to be killed. */
import { openSqliteStore } from '../../../src/store/sqlite/sqlite-store.ts';
import type { MetricSamples } from '../../../src/store/log.ts';

const [path = '', batches = '[]'] = process.argv.slice(2);
const store = await openSqliteStore({ path, busyTimeoutMs: 5000 });
await store.log.appendSamples(JSON.parse(batches) as MetricSamples[], {});
process.stdout.write('acknowledged\n');
