import type { FastifyInstance } from 'fastify';
import type { AnswerOf } from '../contract/operation.ts';
import { postSamples } from '../contract/samples.ts';
import { HtmEngineError } from '../errors.ts';
import type { GivenSample, SampleOutcome } from '../intake.ts';
import type { RefusalReason } from '../metric.ts';
import { REFUSAL_EXPLANATIONS } from '../refusals.ts';
import { rawRoute } from './route.ts';
import { readBody, unpacked, type BodyLimits, type BodyLine } from './sample-body.ts';
import type { ApiServices } from './services.ts';

/** What became of a line that was not stored. */
interface Problem {
  /** From 1. */
  readonly line: number;
  readonly reason: RefusalReason;
  readonly message: string;
}

/** Samples of any metrics in one request: each line is stored or told why not, all of them or none if the store fails. */
export function sampleRoutes(
  app: FastifyInstance,
  { intake, refusals, readLine }: Pick<ApiServices, 'intake' | 'refusals' | 'readLine'>,
  limits: BodyLimits,
): void {
  rawRoute(app, postSamples, async (_input, request, reply) => {
    const packed = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const { 'content-encoding': encoding, 'content-type': contentType } = request.headers;
    const body = await unpacked(packed, encoding?.toLowerCase(), limits.maxUnpackedBytes);
    const lines = readBody(body, contentType, readLine, limits);
    const given = lines.flatMap(({ sample }) => (sample === undefined ? [] : [sample]));
    for (const line of lines) {
      if (line.refused !== undefined) refusals.count(line.refused, 1, line.example);
    }
    if (given.length === 0) throw nothingRead(lines);
    const problems = problemsOf(lines, given, await intake(given));
    const answer: AnswerOf<typeof postSamples> = {
      accepted: lines.length - problems.length,
      refused: problems.length,
      problems,
    };
    return reply.send(answer);
  });
}

/** Every line has an outcome: those that could not be read their own, the others in order those of `given`. */
function problemsOf(
  lines: readonly BodyLine[],
  given: readonly GivenSample[],
  outcomes: readonly SampleOutcome[],
): Problem[] {
  if (outcomes.length !== given.length) throw new Error('the intake owes one outcome per sample');
  let next = 0;
  return lines.flatMap(({ line, refused }) => {
    const outcome = refused === undefined ? outcomes[next++] : undefined;
    const reason = outcome?.accepted === false ? outcome.reason : refused;
    return reason === undefined ? [] : [{ line, reason, message: REFUSAL_EXPLANATIONS[reason] }];
  });
}

function nothingRead(lines: readonly BodyLine[]): HtmEngineError {
  const first = lines.find(({ refused }) => refused !== undefined);
  return new HtmEngineError(
    'invalid_request_body',
    first?.refused === undefined
      ? 'the body has no samples'
      : `no line could be read; line ${first.line}: ${REFUSAL_EXPLANATIONS[first.refused]}`,
  );
}
