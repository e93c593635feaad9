import { HtmEngineError } from '../../errors.ts';
import type { ExchangeMessage, ResultsExchange } from '../original.ts';
import type { Broker } from './broker.ts';
import { LastingChannel } from './lasting-channel.ts';
import { declareResultsExchange } from './topology.ts';

/** The original's exchange for results, declared as the original did: durable, fanout, the routing key empty. */
export class RabbitResultsExchange implements ResultsExchange {
  readonly #broker: Broker;
  readonly #channel: LastingChannel;

  constructor(broker: Broker) {
    this.#broker = broker;
    this.#channel = new LastingChannel(broker, 'publishing results', async (channel) => {
      await declareResultsExchange(channel, broker.names);
      await channel.confirmSelect();
    });
  }

  async publish({ body, headers }: ExchangeMessage): Promise<void> {
    const { instruments, names } = this.#broker;
    const channel = this.#channel.current;
    if (channel === null) throw unavailable('there is no connection');
    instruments.count('publish');
    try {
      await channel.basicPublish({ exchange: names.results, routingKey: '', durable: true, headers }, body);
    } catch (error) {
      throw unavailable(error instanceof Error ? error.message : String(error));
    }
    instruments.count('confirm');
  }

  close(): Promise<void> {
    return this.#channel.close();
  }
}

function unavailable(reason: string): HtmEngineError {
  return new HtmEngineError('broker_unavailable', `the broker did not confirm a result: ${reason}`);
}
