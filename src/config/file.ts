import { readFileSync, statSync } from 'node:fs';
import { type Document, isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import { type Environment, expand, hasReference } from './expand.ts';
import { fromText, type GivenValue, type Layer, layerOf, type Origin, type Problem } from './layers.ts';

const MAX_FILE_BYTES = 2 ** 20;

/** What a configuration file (YAML) sets, with variables put in. A file that cannot be read is a problem like any other. */
export function fileLayer(file: string, environment: Environment): Layer {
  const whole = (message: string): Layer => ({
    given: [],
    problems: [{ origin: { kind: 'file', name: file }, path: null, message }],
  });
  try {
    const { size } = statSync(file);
    if (size > MAX_FILE_BYTES)
      return whole(`it has ${size} bytes, but may have ${MAX_FILE_BYTES} at the most`);
    return textLayer(readFileSync(file, 'utf8'), file, environment);
  } catch (error) {
    return whole(`cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What the text of a configuration file sets; `file` is its name for messages. */
export function textLayer(text: string, file: string, environment: Environment): Layer {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const originAt = (offset: number | undefined): Origin => ({
    kind: 'file',
    name: file,
    ...(offset !== undefined && { line: lines.linePos(offset).line }),
  });
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ pos: [offset], message }) => ({
      origin: originAt(offset),
      path: null,
      message: `not YAML: ${message}`,
    }));
    return { given: [], problems };
  }
  const layer = layerOf(document.toJS({ maxAliasCount: 100 }) as unknown, (path) =>
    originAt(offsetOf(document, path)),
  );
  const problems: Problem[] = [...layer.problems];
  const given: GivenValue[] = [];
  for (const one of layer.given) {
    const { value, problem } = expandValue(one, environment);
    if (problem === null) given.push({ ...one, value });
    else
      problems.push({
        origin: one.origin,
        path: one.setting.path,
        message: `${one.setting.path} ${problem}`,
      });
  }
  return { given, problems };
}

/** Text that had a variable in it is read as if its result had been written in the file. */
function expandValue(
  { setting, value }: GivenValue,
  environment: Environment,
): { value: unknown; problem: string | null } {
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => expandText(item, environment));
    return {
      value: items.map((item) => item.value),
      problem: items.find((item) => item.problem)?.problem ?? null,
    };
  }
  const expanded = expandText(value, environment);
  if (expanded.value === value || typeof expanded.value !== 'string') return expanded;
  return { ...expanded, value: fromText(setting, expanded.value) };
}

function expandText(value: unknown, environment: Environment): { value: unknown; problem: string | null } {
  if (typeof value !== 'string' || !hasReference(value)) return { value, problem: null };
  const expansion = expand(value, environment);
  return 'problem' in expansion
    ? { value, problem: expansion.problem }
    : { value: expansion.text, problem: null };
}

/** Where the key of a path stands in the file. */
function offsetOf(document: Document, path: readonly string[]): number | undefined {
  let node: unknown = document.contents;
  let offset = (node as Node | null)?.range?.[0];
  for (const name of path) {
    if (!isMap(node)) break; // behind an alias: the line of the alias
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === name);
    if (pair === undefined) break;
    offset = (pair.key as Node).range?.[0] ?? offset;
    node = pair.value;
  }
  return offset;
}
