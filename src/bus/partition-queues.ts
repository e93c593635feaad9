/** The queues of a broker through which the partitions' samples go, while nobody works. Adapters: rabbitmq/. */
export interface PartitionQueues {
  /** @throws HtmEngineError `store_locked` if samples wait in the first so many, or somebody consumes them */
  checkIdle(partitions: number): Promise<void>;
  /** Removes those from `first` to before `end`, which are empty. */
  remove(first: number, end: number): Promise<void>;
  close(): Promise<void>;
}
