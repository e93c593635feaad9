/** Bridges the sensors of an MQTT broker to HTM Engine: a number published under a/b/c becomes a sample of the metric a.b.c. */
import { setTimeout as delay } from 'node:timers/promises';
import { EngineClient } from 'htmengine/client';
import { connect } from 'mqtt';

const [broker = 'mqtt://127.0.0.1:1883', topics = 'sensors/#', url = 'http://127.0.0.1:8080'] =
  process.argv.slice(2);
const engine = new EngineClient(url, { token: process.env.HTMENGINE_TOKEN ?? '' });
// The broker keeps for this client what comes while it is away.
const connection = connect(broker, { clientId: 'htmengine-bridge', clean: false });

// A message is acknowledged when the engine has stored it: if either is killed, the broker brings it again.
connection.handleMessage = ({ topic, payload }, acknowledge) => {
  store(topic.replaceAll('/', '.'), payload.toString()).then(() => acknowledge(), acknowledge);
};
connection.on('connect', () => {
  connection.subscribe(topics, { qos: 1 });
  console.log(`${topics} of ${broker} go to ${url}`);
});
connection.on('error', ({ message }) => console.error(`${broker}: ${message}`));

async function store(name: string, text: string): Promise<void> {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) {
    console.error(`${name}: ${JSON.stringify(text)} is no number`);
    return;
  }
  const timestamp = Math.floor(Date.now() / 1000);
  for (;;) {
    try {
      const { problems } = await engine.sendSamples([{ name, value, timestamp }]);
      for (const { reason, message } of problems) console.error(`${name}: ${reason}: ${message}`);
      return;
    } catch (error) {
      console.error(`${error instanceof Error ? error.message : String(error)}; trying again`);
      await delay(1000);
    }
  }
}
