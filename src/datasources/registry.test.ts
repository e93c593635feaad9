import { describe, expect, it } from 'vitest';
import { HtmEngineError } from '../errors.ts';
import type { CustomOperations } from './custom.ts';
import { DatasourceRegistry } from './registry.ts';

/** An engine that remembers what it was asked. */
function setUp() {
  const calls: unknown[][] = [];
  const remember =
    <T>(name: string, answer: T) =>
    (...args: unknown[]) => {
      calls.push([name, ...args]);
      return Promise.resolve(answer);
    };
  const engine: CustomOperations = {
    createMetric: remember('createMetric', 'id'),
    deleteMetricByName: remember('deleteMetricByName', undefined),
    monitorMetric: remember('monitorMetric', 'id'),
    activateModel: remember('activateModel', undefined),
    unmonitorMetric: remember('unmonitorMetric', undefined),
    exportModel: remember('exportModel', { metricSpec: { metric: 'a' } }),
    importModel: remember('importModel', 'id'),
  };
  return { registry: new DatasourceRegistry(engine), calls };
}

const spec = { metricSpec: { metric: 'a', resource: 'web-1' } };

describe('the datasources of an application', () => {
  it('have the custom one built in, which asks the engine', async () => {
    const { registry, calls } = setUp();
    expect(registry.names()).toEqual(['custom']);
    const custom = registry.createCustom();
    expect(registry.create('custom')).toBe(custom);
    expect(await custom.createMetric('a')).toBe('id');
    expect(await custom.monitorMetric(spec)).toBe('id');
    await custom.activateModel('id');
    expect(await custom.exportModel('id')).toEqual({ metricSpec: { metric: 'a' } });
    expect(await custom.importModel(spec)).toBe('id');
    await custom.unmonitorMetric('id');
    await custom.deleteMetricByName('a');
    expect(calls).toEqual([
      ['createMetric', 'a'],
      ['monitorMetric', spec],
      ['activateModel', 'id'],
      ['exportModel', 'id'],
      ['importModel', spec],
      ['unmonitorMetric', 'id'],
      ['deleteMetricByName', 'a'],
    ]);
  });

  it('say what a custom metric belongs to, and that there are no resources to choose from', async () => {
    const custom = setUp().registry.createCustom();
    expect(custom.getInstanceNameForModelSpec(spec)).toBe('web-1');
    expect(custom.getInstanceNameForModelSpec({ metricSpec: { metric: 'a' } })).toBeNull();
    await expect(custom.getMatchingResources()).rejects.toMatchObject({ code: 'not_supported' });
  });

  it('take those of the application, each under a name of its own', async () => {
    const { registry, calls } = setUp();
    registry.register('weather', (custom) => ({
      monitorMetric: ({ metricSpec }) =>
        custom.monitorMetric({ metricSpec: { metric: `weather.${metricSpec.metric ?? ''}` } }),
      activateModel: (metricId) => custom.activateModel(metricId),
      unmonitorMetric: (metricId) => custom.unmonitorMetric(metricId),
      exportModel: (metricId) => custom.exportModel(metricId),
      importModel: (given) => custom.importModel(given),
      getMatchingResources: () => Promise.resolve([{ station: 'Oslo' }]),
      getInstanceNameForModelSpec: () => 'Oslo',
    }));
    expect(registry.names()).toEqual(['custom', 'weather']);
    await registry.create('weather').monitorMetric({ metricSpec: { metric: 'rain' } });
    expect(calls).toEqual([['monitorMetric', { metricSpec: { metric: 'weather.rain' } }]]);
  });

  it('refuse a name twice, an empty one and one that is not there', () => {
    const { registry } = setUp();
    const none = () => registry.create('custom');
    expect(() => {
      registry.register('custom', none);
    }).toThrow(expect.objectContaining({ code: 'datasource_exists' }));
    expect(() => {
      registry.register('', none);
    }).toThrow(HtmEngineError);
    expect(() => registry.create('wether')).toThrow(
      expect.objectContaining({ code: 'datasource_not_found' }),
    );
  });
});
