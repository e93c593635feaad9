import { Counter, type Registry } from 'prom-client';

/** Counts what the stages ask of the database, so that the operations per sample can be seen. */
export class StoreCosts {
  readonly #operations: Counter<'stage' | 'operation'>;

  constructor(registry: Registry) {
    this.#operations = new Counter({
      registers: [registry],
      name: 'htmengine_store_operations_total',
      help: 'Operations on the store, by stage: each is one transaction, or one statement that reads',
      labelNames: ['stage', 'operation'],
    });
  }

  /** The same part of the store, whose calls are counted as those of `stage`. */
  of<Part extends object>(stage: string, part: Part): Part {
    const operations = this.#operations;
    const methods = new Map<string | symbol, unknown>();
    return new Proxy(part, {
      get(target, name) {
        const known = methods.get(name);
        if (known !== undefined) return known;
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function' || typeof name !== 'string') return method;
        const counter = operations.labels({ stage, operation: name });
        const bound = method.bind(target) as (...args: readonly unknown[]) => unknown;
        const counted = (...args: readonly unknown[]) => {
          counter.inc();
          return bound(...args);
        };
        methods.set(name, counted);
        return counted;
      },
    });
  }
}
