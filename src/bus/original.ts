/**
 * What applications that were written for the original find on a broker (system reference, 1.4 and 1.5): an exchange
 * from which they take results, and a queue into which they put samples. Adapters: rabbitmq/.
 */
export interface ResultsExchange {
  /**
   * Resolves when the broker has the message, for every queue that is bound to the exchange.
   * @throws HtmEngineError `broker_unavailable`: it may not have it. Publish it again, before anything later.
   */
  publish(message: ExchangeMessage): Promise<void>;
  close(): Promise<void>;
}

export interface ExchangeMessage {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string | number>>;
}

export interface CustomDataQueue {
  /**
   * Consumes the queue, one process at a time: others stand by. Messages come in their order, those that have come
   * together at once; they are acknowledged after the promise. What is rejected comes again, before anything later.
   * Resolves when the queue is there, so that what is sent to it is kept, or after a while without one.
   */
  consume(handler: CustomDataHandler): Promise<void>;
  /** Lets the running call of the handler finish. */
  close(): Promise<void>;
}

/** @returns for each message null, or why it can never be read: then it becomes a dead letter. */
export type CustomDataHandler = (
  messages: readonly CustomDataMessage[],
) => Promise<readonly (string | null)[]>;

export interface CustomDataMessage {
  readonly body: Buffer;
  /** The broker says it delivered this before. */
  readonly redelivered: boolean;
}
