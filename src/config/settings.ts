import { z } from 'zod';
import { configSchema } from '../config.ts';
import { FLAGS } from './flags.ts';

/** One setting as the schema tells of it. */
export interface Setting {
  /** Names from the outermost section on, separated by dots. */
  readonly path: string;
  readonly description: string;
  /** The environment variable that sets it. */
  readonly variable: string;
  /** The flag that sets it, `--port` for instance, or null. */
  readonly flag: string | null;
  /** Can change while the engine runs. */
  readonly live: boolean;
  /** Never printed. */
  readonly secret: boolean;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'other';
  /** Text of one character at least. */
  readonly notEmpty: boolean;
  /** The values there are to choose from, if they are few. */
  readonly choices: readonly string[] | null;
  readonly minimum: number | null;
  readonly maximum: number | null;
  /** undefined where there is none. */
  readonly default: unknown;
  /** What the documents say of a default that differs from machine to machine. */
  readonly defaultText: string | null;
}

/** A group of settings. */
export interface Section {
  /** Empty for the outermost. */
  readonly path: string;
  readonly description: string;
}

/** What we read of the JSON Schema that zod makes. */
interface SchemaNode {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly live?: boolean;
  readonly secret?: boolean;
  readonly defaultText?: string;
}

/** The schema of a configuration file as JSON Schema, for editors. */
export function jsonSchema(): object {
  return z.toJSONSchema(configSchema, {
    io: 'input',
    override: ({ jsonSchema: node }) => {
      // What another machine would say otherwise has no place in it.
      if (node['defaultText'] !== undefined) delete node.default;
    },
  });
}

const sections: Section[] = [];
const settings: Setting[] = [];
collect(z.toJSONSchema(configSchema, { io: 'input' }) as SchemaNode, []);

/** Every setting, in the schema's order. */
export const SETTINGS: readonly Setting[] = settings;
/** Every section, the outermost first, each before those inside. */
export const SECTIONS: readonly Section[] = sections;

const byPath = new Map(settings.map((setting) => [setting.path, setting]));
const sectionPaths = new Set(sections.map(({ path }) => path));

export function findSetting(path: string): Setting | null {
  return byPath.get(path) ?? null;
}

export function isSection(path: string): boolean {
  return sectionPaths.has(path);
}

/** The names in a section, of settings and of sections. */
export function namesIn(section: string): string[] {
  const prefix = section === '' ? '' : `${section}.`;
  const paths = [...sectionPaths, ...byPath.keys()].filter((path) => path !== '' && path.startsWith(prefix));
  return [...new Set(paths.map((path) => path.slice(prefix.length).split('.', 1)[0] ?? ''))].filter(
    (name) => name !== '',
  );
}

/** What a value must be, to come after "it must be"; null where only the schema itself can say. */
export function ruleOf({ type, notEmpty, choices, minimum, maximum }: Setting): string | null {
  if (choices !== null) {
    const quoted = choices.map((choice) => `"${choice}"`);
    return quoted.length === 1 ? quoted.join() : `one of ${quoted.join(', ')}`;
  }
  if (type === 'boolean') return 'true or false';
  if (type === 'string') return notEmpty ? 'text that is not empty' : 'text';
  if (type === 'other') return null;
  const what = type === 'integer' ? 'a whole number' : 'a number';
  if (minimum === null && maximum === null) return what;
  if (maximum === null) return `${what}, ${minimum ?? ''} or more`;
  return minimum === null ? `${what}, ${maximum} or less` : `${what} from ${minimum} to ${maximum}`;
}

function collect(node: SchemaNode, path: readonly string[]): void {
  sections.push({ path: path.join('.'), description: node.description ?? '' });
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    const childPath = [...path, name];
    if (child.properties === undefined) settings.push(toSetting(child, childPath));
    else collect(child, childPath);
  }
}

function toSetting(node: SchemaNode, path: readonly string[]): Setting {
  return {
    path: path.join('.'),
    description: node.description ?? '',
    variable: variableName(path),
    flag: FLAGS.find((flag) => flag.path === path.join('.'))?.name ?? null,
    live: node.live ?? false,
    secret: node.secret ?? false,
    type: toType(node.type),
    notEmpty: (node.minLength ?? 0) > 0,
    choices: node.enum ?? null,
    minimum: bound(node.minimum),
    maximum: bound(node.maximum),
    default: node.default,
    defaultText: node.defaultText ?? null,
  };
}

function toType(type: string | undefined): Setting['type'] {
  return type === 'string' || type === 'integer' || type === 'number' || type === 'boolean' ? type : 'other';
}

/** The bounds of whole numbers as such are none. */
function bound(limit: number | undefined): number | null {
  return limit === undefined || Math.abs(limit) === Number.MAX_SAFE_INTEGER ? null : limit;
}

/** `listener.graphite.maxLineBytes` is `HTMENGINE_LISTENER_GRAPHITE_MAX_LINE_BYTES`. */
function variableName(path: readonly string[]): string {
  const parts = path.map((name) => name.replaceAll(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase());
  return ['HTMENGINE', ...parts].join('_');
}
