import type { AutomaticRequest, GenerationRequest, Json } from '../generation.ts';
import {
  algorithmRevision,
  type Ceiling,
  DEFAULT_LIKELIHOOD,
  type ModelParameters,
  scalarAnomalyParameters,
} from '../htm/index.ts';
import { completeParameters } from './complete-spec.ts';
import { canonicalSpec, rangeOf, type CheckedModelSpec } from './model-spec.ts';

/** What this installation's models have in common. */
export interface ModelSettings {
  /** Rows needed before a range is estimated. */
  readonly minimumRows: number;
  /** Which temporal memory: the backtracking one or the plain one. */
  readonly variant: 'cpp' | 'tm_cpp';
  /** The most that the memory may hold; null for no limit. */
  readonly ceiling: Ceiling | null;
}

/** The resolution is filled in when the generation opens and its range is known; until then this stands there. */
const RESOLUTION_TO_COME = 1;

/**
 * What the store keeps for a metric that is to be monitored.
 * @param name the metric's.
 */
export function generationRequest(
  spec: CheckedModelSpec,
  name: string,
  settings: ModelSettings,
): GenerationRequest {
  const { minResolution = null, enableClassifier = false } = spec.modelParams ?? {};
  const { completeModelParams: complete } = spec;
  return {
    ...(complete === undefined
      ? modelRequest(settings, enableClassifier)
      : frozenRequest(settings, withCeiling(completeParameters(complete), settings.ceiling), null)),
    spec: canonicalSpec(spec, name),
    range: rangeOf(spec),
    minResolution,
    resource: spec.metricSpec.resource ?? null,
  };
}

/** What the store keeps for each metric that is monitored by itself as soon as it is created: nothing chosen by anybody. */
export function automaticRequest(settings: ModelSettings): AutomaticRequest {
  return { ...modelRequest(settings, false), minResolution: null };
}

function modelRequest({ variant, ...settings }: ModelSettings, enableClassifier: boolean) {
  const parameters = scalarAnomalyParameters({
    resolution: RESOLUTION_TO_COME,
    variant,
    enableClassifier,
    ceiling: settings.ceiling,
  });
  const valueEncoder = parameters.encoders.findIndex(({ type }) => type === 'rdse');
  return frozenRequest(settings, parameters, ['encoders', String(valueEncoder), 'resolution']);
}

function frozenRequest(
  { minimumRows }: Pick<ModelSettings, 'minimumRows'>,
  parameters: ModelParameters,
  resolutionPath: readonly string[] | null,
) {
  return {
    minimumRows,
    modelParams: JSON.parse(JSON.stringify(parameters)) as Json,
    resolutionPath,
    likelihood: DEFAULT_LIKELIHOOD,
    algorithmRevision,
  };
}

/** Parameters in the original's form cannot name this installation's ceiling. */
function withCeiling(parameters: ModelParameters, ceiling: Ceiling | null): ModelParameters {
  return ceiling === null ? parameters : { ...parameters, memory: { ...parameters.memory, ceiling } };
}
