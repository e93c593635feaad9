/** A message that could not be read, as it came. */
export interface DeadLetter {
  readonly id: string;
  /** The queue it was in. */
  readonly queue: string;
  /** Why it is here, for people. */
  readonly reason: string;
  /** When it came here; null where the broker put it here by itself. */
  readonly diedAt: Date | null;
  readonly contentType: string | null;
  readonly body: Buffer;
}

/** What is done with a dead letter that was looked at. */
export type Fate = 'keep' | 'drop' | 'replay';

/** Messages that could not be read, kept until somebody decides about them. Adapters: rabbitmq/. */
export interface DeadLetters {
  /**
   * Shows every dead letter, oldest first and at most `limit`, to `decide`, and does with it what that says. One that is
   * replayed goes to the end of the queue it came from, and leaves this one only when it is there. Meanwhile others do not
   * see what is being looked at.
   * @returns how many were looked at @throws if the broker is lost meanwhile; what was decided before holds
   */
  visit(limit: number, decide: (letter: DeadLetter) => Fate): Promise<number>;
  close(): Promise<void>;
}
