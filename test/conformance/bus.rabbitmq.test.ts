import { describe } from 'vitest';
import { openRabbitBus } from '../../src/bus/rabbitmq/rabbit-bus.ts';
import { missingBroker, TEST_PARTITIONS, TestApplication } from '../support/brokers.ts';
import { CONFORMANCE_BOUNDS, busConformance } from './bus.ts';

const missing = await missingBroker();

describe.skipIf(missing !== null)('on a broker', () => {
  busConformance('rabbitmq', async () => {
    const application = new TestApplication();
    const open = () =>
      openRabbitBus(application.connect(), {
        ...CONFORMANCE_BOUNDS,
        partitions: TEST_PARTITIONS,
        prefetch: 4,
      });
    return { bus: await open(), reopen: open, dispose: () => application.dispose() };
  });
});
