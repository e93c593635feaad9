import type { FastifyInstance } from 'fastify';
import * as operations from '../contract/incidents.ts';
import type { Incident } from '../incidents/grouping.ts';
import type { Mute, UsualPattern } from '../store/incidents.ts';
import { existing } from './input.ts';
import { route, silentRoute } from './route.ts';
import type { ApiServices } from './services.ts';

/** What is anomalous across metrics, and what people say of it. */
export function incidentRoutes(
  app: FastifyInstance,
  { queries, incidents, logLikelihood }: Pick<ApiServices, 'queries' | 'incidents' | 'logLikelihood'>,
): void {
  route(app, operations.listIncidents, async ({ query: { from, to, metric } }) => {
    const page = await incidents.list({
      ...(from !== undefined && { fromTimestamp: Math.ceil(from) }),
      ...(to !== undefined && { toTimestamp: Math.floor(to) }),
      ...(metric !== undefined && { metricId: (await existing(queries, metric)).metricId }),
    });
    return {
      incidents: page.incidents.map((incident) => incidentJson(incident, logLikelihood)),
      more: page.more,
    };
  });

  route(app, operations.acknowledgeSpans, async ({ body: { spans, note } }) => {
    const keys = spans.map(({ uid, ...key }) => ({ metricId: uid, ...key }));
    return { acknowledged: await incidents.acknowledge(keys, note) };
  });

  route(app, operations.listMutes, async () => ({ mutes: (await incidents.mutes()).map(muteJson) }));

  route(app, operations.addMute, async ({ body: { pattern, until, note } }) => {
    return muteJson(await incidents.mute(pattern, until, note));
  });

  silentRoute(app, operations.removeMute, ({ params: { id } }) => incidents.unmute(id));

  route(app, operations.listUsual, async ({ params: { name } }) => {
    const { metricId } = await existing(queries, name);
    return { patterns: (await incidents.usualPatterns(metricId)).map(usualJson) };
  });

  route(app, operations.listAllUsual, async () => ({
    patterns: (await incidents.usualPatterns()).map(usualJson),
  }));

  route(app, operations.callUsual, async ({ body: { span, anyTime, note } }) => {
    const { uid, ...key } = span;
    return usualJson(await incidents.callUsual({ metricId: uid, ...key }, { anyTime, note }));
  });

  silentRoute(app, operations.forgetUsual, ({ params: { id } }) => incidents.forgetUsual(id));
}

function incidentJson({ spans, ...incident }: Incident, logLikelihood: ApiServices['logLikelihood']) {
  return {
    ...incident,
    peakLogLikelihood: logLikelihood(incident.peakScore),
    spans: spans.map(({ metricId, acknowledgement, ...span }) => ({
      ...span,
      uid: metricId,
      peakLogLikelihood: logLikelihood(span.peakScore),
      acknowledgement:
        acknowledgement === null ? null : { at: acknowledgement.atTimestamp, note: acknowledgement.note },
    })),
  };
}

function muteJson({ fromTimestamp, untilTimestamp, ...mute }: Mute) {
  return { ...mute, from: fromTimestamp, until: untilTimestamp };
}

function usualJson({ metricId, ...pattern }: UsualPattern) {
  return { ...pattern, uid: metricId };
}
