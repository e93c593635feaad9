/** Runs operations of the same key one after the other, in the order they were asked for; those of different keys side by side. */
export class SerialByKey {
  readonly #last = new Map<string, Promise<void>>();

  /** Resolves or rejects as `operation` does, once its turn has come. */
  async run<T>(key: string, operation: () => Promise<T>): Promise<T> {
    const result = (this.#last.get(key) ?? Promise.resolve()).then(operation);
    const ended = result.then(
      () => undefined,
      () => undefined,
    );
    this.#last.set(key, ended);
    try {
      return await result;
    } finally {
      if (this.#last.get(key) === ended) this.#last.delete(key);
    }
  }
}
