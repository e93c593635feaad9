/** The original's production set, as its parameter files have it (model reference, section 1.2). */
export function originalParameters(variant: 'cpp' | 'tm_cpp'): Record<string, unknown> {
  const tmParams =
    variant === 'cpp'
      ? {
          activationThreshold: 13,
          minThreshold: 10,
          newSynapseCount: 20,
          initialPerm: 0.21,
          permanenceInc: 0.1,
          permanenceDec: 0.1,
          maxSegmentsPerCell: 128,
          maxSynapsesPerSegment: 32,
        }
      : {
          activationThreshold: 20,
          minThreshold: 13,
          newSynapseCount: 31,
          initialPerm: 0.24,
          permanenceInc: 0.04,
          permanenceDec: 0.008,
          predictedSegmentDecrement: 0.001,
          maxSegmentsPerCell: 128,
          maxSynapsesPerSegment: 128,
        };
  return {
    inferenceArgs: { predictionSteps: [1], predictedField: 'c1', inputPredictedField: 'auto' },
    modelConfig: {
      aggregationInfo: { fields: [], hours: 0, minutes: 0, seconds: 0 },
      model: 'HTMPrediction',
      version: 1,
      predictAheadTime: null,
      modelParams: {
        sensorParams: {
          verbosity: 0,
          sensorAutoReset: null,
          encoders: {
            c1: {
              fieldname: 'c1',
              name: 'c1',
              type: 'RandomDistributedScalarEncoder',
              resolution: 0.5,
              seed: 42,
            },
            c0_timeOfDay: { fieldname: 'c0', name: 'c0', type: 'DateEncoder', timeOfDay: [21, 9.49] },
            c0_dayOfWeek: null,
            c0_weekend: null,
          },
        },
        spEnable: true,
        spParams: {
          spVerbosity: 0,
          spatialImp: 'cpp',
          inputWidth: 0,
          columnCount: 2048,
          potentialPct: 0.8,
          globalInhibition: 1,
          numActiveColumnsPerInhArea: 40,
          synPermInactiveDec: 0.0005,
          synPermActiveInc: 0.003,
          synPermConnected: 0.2,
          boostStrength: 0.0,
          seed: 1956,
        },
        tmEnable: true,
        tmParams: {
          verbosity: 0,
          temporalImp: variant,
          columnCount: 2048,
          inputWidth: 2048,
          cellsPerColumn: 32,
          seed: 1960,
          globalDecay: 0.0,
          maxAge: 0,
          pamLength: 3,
          outputType: 'normal',
          ...tmParams,
        },
        clEnable: false,
        clParams: {
          regionName: 'SDRClassifierRegion',
          implementation: 'cpp',
          verbosity: 0,
          steps: '1',
          alpha: 0.035828933612158,
        },
        anomalyParams: { anomalyCacheRecords: null, autoDetectThreshold: null, autoDetectWaitRecords: 5030 },
        inferenceType: 'TemporalAnomaly',
        trainSPNetOnlyIfRequested: false,
      },
    },
  };
}
