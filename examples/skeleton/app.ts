/** The smallest application on HTM Engine: it measures something, has it monitored, and prints what the model makes of it. */
import { loadavg } from 'node:os';
import { Engine, HtmEngineError, loadConfig, type Result } from 'htmengine';

const METRIC = 'skeleton.load';
const EVERY_MS = 2_000;

const engine = new Engine(loadConfig({ file: 'settings.yaml' }));
await engine.start();

// The range is known here. Without one the engine learns it from the first 288 rows.
try {
  await engine.monitorMetric({ metricSpec: { metric: METRIC }, modelParams: { min: 0, max: 16 } });
  console.log(`${METRIC} is monitored from now on`);
} catch (error) {
  if (!(error instanceof HtmEngineError && error.code === 'metric_already_monitored')) throw error;
  console.log(`${METRIC} is monitored already; its model goes on where it was`);
}

// With a name of its own a consumer misses nothing: what is scored while it is away comes when it is back.
await engine.subscribe(print, { consumer: 'skeleton' });

const timer = setInterval(() => void measure(), EVERY_MS);
await measure();

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    clearInterval(timer);
    void engine.stop();
  });
}

async function measure(): Promise<void> {
  const [value = 0] = loadavg();
  const [outcome] = await engine.push([{ name: METRIC, value }]);
  if (outcome?.accepted === false) console.error(`${METRIC} ${value} was refused: ${outcome.reason}`);
}

function print(results: readonly Result[]): Promise<void> {
  for (const { name, timestamp, value, anomalyScore, logLikelihood } of results) {
    const time = new Date(timestamp * 1000).toISOString();
    const mark = logLikelihood >= 0.5 ? '  <-- unusual' : '';
    console.log(`${time}  ${name}  ${value.toFixed(2)}  ${anomalyScore.toFixed(5)}${mark}`);
  }
  return Promise.resolve();
}
