/** Run as a process of its own: appends what it is given as JSON and says so, then waits to be killed. */
import { openServerStore } from '../../../src/open-store.ts';
import type { MetricSamples } from '../../../src/store/log.ts';

const [url = '', batches = '[]'] = process.argv.slice(2);
const store = await openServerStore(url, undefined, { maxConnections: 2, statementTimeoutMs: 5000 });
await store.log.appendSamples(JSON.parse(batches) as MetricSamples[], {});
process.stdout.write('acknowledged\n');
setInterval(() => undefined, 1000);
