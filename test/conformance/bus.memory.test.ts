import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createMemoryBus } from '../../src/bus/memory/memory-bus.ts';
import { CONFORMANCE_BOUNDS, busConformance } from './bus.ts';

busConformance('memory', () =>
  Promise.resolve({
    bus: createMemoryBus(CONFORMANCE_BOUNDS, { log: pino({ level: 'silent' }), registry: new Registry() }),
  }),
);
