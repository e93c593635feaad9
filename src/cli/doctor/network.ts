import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { createServer } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { hostAndPort, localUrl } from '../../address.ts';
import type { Config } from '../../config.ts';
import { listenFailure } from '../../listen-failure.ts';
import { type Finding, ok, problem, reasonOf } from './finding.ts';

const ANSWER_TIMEOUT_MS = 5_000;

/** What answers where the engine's HTTP should be. */
type Answer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'not ready'; readonly reason: string }
  | { readonly kind: 'stranger'; readonly reason: string }
  | { readonly kind: 'nobody'; readonly reason: string };

/** Ports and the engine behind them. @param held a running engine has the data directory */
export async function networkFindings({ api, listener }: Config, held: boolean): Promise<Finding[]> {
  const { graphite } = listener;
  const url = localUrl(api, api.tlsCertFile !== '');
  const answer = api.enabled && api.port !== 0 ? await ask(url) : null;
  const portFindings: Finding[] = [];
  const check = async (name: string, bind: Bind, host: string, port: number, flag: string) => {
    if (port === 0) return portFindings.push(ok(name, `any free port on ${host}`));
    const failure = await bind(host, port).then(
      () => null,
      (error: unknown) => listenFailure(error, name, host, port, flag).message,
    );
    return portFindings.push(portFinding(name, hostAndPort({ host, port }), failure, held));
  };
  if (api.enabled) await check('HTTP', bindTcp, api.host, api.port, '--http-port');
  const { enabled, transport, host, port } = graphite;
  if (enabled && transport !== 'udp') await check('Graphite TCP', bindTcp, host, port, '--port');
  if (enabled && transport !== 'tcp') await check('Graphite UDP', bindUdp, host, port, '--port');
  return [...portFindings, engineFinding(url, answer, held)];
}

/** @param failure why the port cannot be bound, with what to do; null if it can */
export function portFinding(name: string, address: string, failure: string | null, held: boolean): Finding {
  if (failure === null) return ok(name, `${address} is free`);
  if (held && failure.includes('in use'))
    return ok(name, `${address} is in use, as it should be: an engine runs`);
  const [found = failure, fix = ''] = failure.split('; ');
  return problem(name, found, fix);
}

/** @param answer null if HTTP is switched off or on any free port */
export function engineFinding(url: string, answer: Answer | null, held: boolean): Finding {
  const name = 'engine';
  if (answer === null)
    return ok(
      name,
      held ? 'runs; where its HTTP is, the settings do not say' : 'none runs on the data directory',
    );
  switch (answer.kind) {
    case 'ready':
      return held
        ? ok(name, `runs and is ready at ${url}`)
        : problem(
            name,
            `one answers at ${url}, but it has another data directory`,
            'give the settings it was started with, or choose another port with --http-port',
          );
    case 'not ready':
      return problem(name, `answers at ${url} and is not ready: ${answer.reason}`, 'see its log');
    case 'stranger':
      return problem(
        name,
        `what answers at ${url} is no engine: ${answer.reason}`,
        'end it, or choose another port with --http-port',
      );
    case 'nobody':
      return held
        ? problem(
            name,
            `one has the data directory, but nothing answers at ${url}: ${answer.reason}`,
            'give the settings it was started with; if they are these, see its log and start it again',
          )
        : ok(name, 'none runs; start one with "htmengine up"');
  }
}

async function ask(url: string): Promise<Answer> {
  let status: number;
  let text: string;
  try {
    const response = await answerOf(`${url}/readyz`);
    status = response.statusCode ?? 0;
    text = await textOf(response);
  } catch (error) {
    return { kind: 'nobody', reason: reasonOf(error) };
  }
  const answer = parseReadiness(text);
  if (answer === null) return { kind: 'stranger', reason: `/readyz answered ${status}` };
  return answer;
}

async function answerOf(url: string): Promise<IncomingMessage> {
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  // Whom a certificate is for is the clients' matter: asked is whether an engine runs on this machine.
  const request = url.startsWith('https:')
    ? https.get(url, { signal, rejectUnauthorized: false })
    : http.get(url, { signal });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

/** What an engine says of itself at `/readyz`; null if it is none. */
export function parseReadiness(text: string): Answer | null {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof answer !== 'object' || answer === null || !('status' in answer)) return null;
  if (answer.status === 'ready') return { kind: 'ready' };
  if (answer.status !== 'not ready') return null;
  return { kind: 'not ready', reason: 'reason' in answer ? String(answer.reason) : 'no reason given' };
}

/** Resolves if the port can be listened on; it is free again then. */
type Bind = (host: string, port: number) => Promise<void>;

const bindTcp: Bind = (host, port) =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve()));
  });

const bindUdp: Bind = async (host, port) => {
  const { address, family } = await lookup(host);
  await new Promise<void>((resolve, reject) => {
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    socket.once('error', reject);
    socket.bind({ address, port, exclusive: true }, () => socket.close(resolve));
  });
};
