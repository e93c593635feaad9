import { Counter, Gauge, type Registry } from 'prom-client';

/** What a message, or the broker, went through. Divided by the samples: operations per sample. */
export const OPERATIONS = ['publish', 'confirm', 'deliver', 'redeliver', 'ack', 'dead_letter'] as const;
type Operation = (typeof OPERATIONS)[number];

/** The Prometheus metrics of everything that a process does on its broker. One set per process. */
export class BrokerInstruments {
  readonly reconnects: Counter;
  readonly unconfirmed: Gauge;
  readonly repeatedPublishes: Counter;
  readonly handedOver: Counter;
  readonly droppedWakeUps: Counter;
  /** Where the gauges that are not counted up and down get their values. */
  readonly readings = { connected: () => 0, queuedSamples: () => 0, waitingPublishers: () => 0 };
  readonly #operations: Counter<'operation'>;
  readonly #samples: Counter<'direction'>;

  constructor(registry: Registry) {
    const registers = [registry];
    const { readings } = this;
    const gauge = (reading: keyof typeof readings, name: string, help: string) =>
      new Gauge({
        registers,
        name,
        help,
        collect() {
          this.set(readings[reading]());
        },
      });
    this.#operations = new Counter({
      registers,
      name: 'htmengine_broker_operations_total',
      help: 'Messages by what was done with them on the broker; a redelivered one is also delivered',
      labelNames: ['operation'],
    });
    for (const operation of OPERATIONS) this.#operations.inc({ operation }, 0);
    this.#samples = new Counter({
      registers,
      name: 'htmengine_broker_samples_total',
      help: 'Samples that the broker confirmed (published) or brought (delivered, repeats included)',
      labelNames: ['direction'],
    });
    this.reconnects = new Counter({
      registers,
      name: 'htmengine_broker_connects_total',
      help: 'Connections to the broker that were made, the first one included',
    });
    gauge('connected', 'htmengine_broker_connected', 'Whether there is a connection to the broker (0 or 1)');
    this.unconfirmed = new Gauge({
      registers,
      name: 'htmengine_broker_unconfirmed_messages',
      help: 'Messages with samples that were published and are not confirmed: at most one per partition',
    });
    this.repeatedPublishes = new Counter({
      registers,
      name: 'htmengine_broker_repeated_publishes_total',
      help: 'Messages with samples that were published again because no confirm came',
    });
    this.handedOver = new Counter({
      registers,
      name: 'htmengine_broker_partitions_handed_over_total',
      help: 'Times that this process gave a partition of the samples to the one whose it is',
    });
    this.droppedWakeUps = new Counter({
      registers,
      name: 'htmengine_bus_dropped_wakeups_total',
      help: 'Wake-ups that were left to the sweeps because too many waited',
    });
    gauge('queuedSamples', 'htmengine_bus_queued_samples', 'Samples that wait in memory for the storer');
    gauge(
      'waitingPublishers',
      'htmengine_bus_waiting_publishers',
      'Publishers that wait for room in the queue',
    );
  }

  count(operation: Operation, messages = 1): void {
    this.#operations.inc({ operation }, messages);
  }

  countSamples(direction: 'published' | 'delivered', samples: number): void {
    this.#samples.inc({ direction }, samples);
  }
}
