/** What one check found. */
export interface Finding {
  readonly name: string;
  /** A warning leaves the engine working, a problem does not. */
  readonly verdict: 'ok' | 'warning' | 'problem';
  readonly found: string;
  /** What to do about it; null if all is well. */
  readonly fix: string | null;
}

export function ok(name: string, found: string): Finding {
  return { name, verdict: 'ok', found, fix: null };
}

export function warning(name: string, found: string, fix: string): Finding {
  return { name, verdict: 'warning', found, fix };
}

export function problem(name: string, found: string, fix: string): Finding {
  return { name, verdict: 'problem', found, fix };
}

/** An error in one line. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `512 MiB`. */
export function sizeText(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < UNITS.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${Number(size.toPrecision(3))} ${UNITS[unit] ?? ''}`;
}
