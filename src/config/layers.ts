import { parseDocument } from 'yaml';
import { nearest } from './nearest.ts';
import { findSetting, isSection, namesIn, type Setting, SETTINGS } from './settings.ts';

/** Where a value comes from. */
export interface Origin {
  readonly kind: 'default' | 'file' | 'environment' | 'flag' | 'program';
  /** The file, variable or flag; empty for a default. */
  readonly name: string;
  /** In a file, counted from 1. */
  readonly line?: number;
}

/** A setting that somebody has given a value, not checked yet. */
export interface GivenValue {
  readonly setting: Setting;
  readonly value: unknown;
  readonly origin: Origin;
}

/** Something wrong with the settings. */
export interface Problem {
  readonly origin: Origin;
  /** The setting, section or unknown name; null where it concerns a source as a whole. */
  readonly path: string | null;
  /** Value, rule and fix, with the path. */
  readonly message: string;
}

/** What one source says. */
export interface Layer {
  readonly given: readonly GivenValue[];
  readonly problems: readonly Problem[];
}

/** How a source stands in a message: `htmengine.yaml:4`, `HTMENGINE_API_PORT`, `--port`. */
export function originText({ kind, name, line }: Origin): string {
  if (kind === 'default') return 'default';
  return line === undefined ? name : `${name}:${line}`;
}

/** Finds the settings in nested objects; `originOf` says where a path stands. */
export function layerOf(tree: unknown, originOf: (path: readonly string[]) => Origin): Layer {
  const given: GivenValue[] = [];
  const problems: Problem[] = [];
  const visit = (value: unknown, path: readonly string[]) => {
    const name = path.join('.');
    const setting = findSetting(name);
    const problem = (message: string) => problems.push({ origin: originOf(path), path: name, message });
    if (setting !== null) {
      if (value !== undefined) given.push({ setting, value, origin: originOf(path) });
    } else if (!isSection(name)) {
      problem(unknownName(path));
    } else if (isObject(value)) {
      for (const [key, child] of Object.entries(value)) visit(child, [...path, key]);
    } else if (value !== undefined && value !== null) {
      problem(`${name === '' ? 'this' : name} must hold settings (${namesIn(name).join(', ')}), not a value`);
    }
  };
  visit(tree, []);
  return { given, problems };
}

/** The value that text from a variable, flag or expansion stands for: what YAML would read where text is not wanted. */
export function fromText(setting: Setting, text: string): unknown {
  if (setting.type === 'string') return text;
  const document = parseDocument(text);
  // Text that is no value is left for the schema to refuse.
  if (document.errors.length > 0) return text;
  try {
    return document.toJS() as unknown;
  } catch {
    // An alias of nothing: `*x`.
    return text;
  }
}

const SHOWN_CHARACTERS = 60;

/** The value of a setting as it may be printed: shortened, and a secret not at all. */
export function shownValue({ secret }: Setting, value: unknown): string {
  if (secret && value !== undefined) return '(hidden)';
  // JSON has no word for undefined, NaN and the infinities.
  const text =
    typeof value === 'number' ? String(value) : ((JSON.stringify(value) as string | undefined) ?? 'not set');
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}...` : text;
}

function unknownName(path: readonly string[]): string {
  const section = path.slice(0, -1).join('.');
  const last = path.at(-1) ?? '';
  const names = namesIn(section);
  const near = nearest(last, names);
  if (near !== null)
    return `${path.join('.')} is not a setting; did you mean ${[...path.slice(0, -1), near].join('.')}?`;
  const elsewhere = SETTINGS.filter((setting) => setting.path.split('.').at(-1) === last);
  const hint =
    elsewhere.length > 0
      ? `did you mean ${elsewhere.map((setting) => setting.path).join(' or ')}?`
      : `there are: ${names.join(', ')}`;
  return `${path.join('.')} is not a setting; ${hint}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
