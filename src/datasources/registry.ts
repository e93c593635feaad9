import { HtmEngineError } from '../errors.ts';
import { CUSTOM_DATASOURCE } from '../metric.ts';
import type { DatasourceAdapter } from './adapter.ts';
import { CustomDatasourceAdapter, type CustomOperations } from './custom.ts';

/** Makes an adapter; it may build on the one of custom metrics. */
export type AdapterFactory = (custom: CustomDatasourceAdapter) => DatasourceAdapter;

/** The sources of metrics of an application, by unique names; `custom` is there from the beginning. */
export class DatasourceRegistry {
  readonly #custom: CustomDatasourceAdapter;
  readonly #factories = new Map<string, AdapterFactory>([[CUSTOM_DATASOURCE, (custom) => custom]]);

  constructor(engine: CustomOperations) {
    this.#custom = new CustomDatasourceAdapter(engine);
  }

  /** @throws HtmEngineError `datasource_exists`, `invalid_argument` for an empty name */
  register(name: string, factory: AdapterFactory): void {
    if (name === '') throw new HtmEngineError('invalid_argument', 'a datasource must have a name');
    if (this.#factories.has(name))
      throw new HtmEngineError(
        'datasource_exists',
        `there is a datasource ${JSON.stringify(name)} already: register this one under another name`,
      );
    this.#factories.set(name, factory);
  }

  /** All names, in the order in which they were registered. */
  names(): string[] {
    return [...this.#factories.keys()];
  }

  /** A new adapter. @throws HtmEngineError `datasource_not_found` */
  create(name: string): DatasourceAdapter {
    const factory = this.#factories.get(name);
    if (factory === undefined)
      throw new HtmEngineError(
        'datasource_not_found',
        `there is no datasource ${JSON.stringify(name)}; there are: ${this.names().join(', ')}`,
      );
    return factory(this.#custom);
  }

  /** The adapter of custom metrics, which has more than others. */
  createCustom(): CustomDatasourceAdapter {
    return this.#custom;
  }
}
