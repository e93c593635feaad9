/** From an MQTT broker to the engine: node bridge.ts [BROKER] [TOPICS] [ENGINE]. A topic becomes a metric, a number its value. */
import { EngineClient } from 'htmengine/client';
import { connect } from 'mqtt';

const [broker = 'mqtt://127.0.0.1:1883', topics = 'sensors/#', url = 'http://127.0.0.1:8080'] =
  process.argv.slice(2);
const engine = new EngineClient(url);
// A session of its own name that lasts: the broker keeps what comes while the bridge is away.
const client = connect(broker, { clientId: 'htmengine-bridge', clean: false });

// Nothing more is taken, and nothing acknowledged, until the engine has stored the value.
client.handleMessage = (packet, done) => {
  store(packet.topic, packet.payload.toString()).then(() => done(), done);
};
client.on('error', ({ message }) => console.error(message));

async function store(topic: string, payload: string): Promise<void> {
  const value = Number(payload);
  if (payload.trim() === '' || !Number.isFinite(value)) {
    console.error(`${topic}: "${payload}" is no number`);
    return;
  }
  const { problems } = await engine.sendSamples([{ name: topic.replaceAll('/', '.'), value }]);
  for (const { message } of problems) console.error(`${topic}: ${message}`);
}

await client.subscribeAsync(topics, { qos: 1 });
console.log(`bridging ${topics}`);
process.once('SIGINT', () => client.end());
