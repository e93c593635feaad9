import { freeBuffer } from './tables.ts';
import type { TypedArray } from './tables.ts';

/**
 * One buffer that holds all state of a model as named typed-array sections: the views that components work on.
 *
 * Saved bytes (little-endian): magic "HTMA", format version (u32), kind (u32: what the sections mean, chosen by the
 * owner), section count (u32); then per section its type code (u32), length in elements (u32) and byte offset
 * (u32, multiple of 8); then the sections in order. Sections have no names in the bytes: their order is fixed by
 * the owner's schema, and the kind changes whenever the schema does. Most sections are saved as they are. A large one
 * is saved in the packed form its component gives it, as bytes (type u8), or not at all (length 0) where another's
 * packed form contains it.
 *
 * Sections that grow move everything to a new buffer; every part is then told to fetch its views again. Owners that
 * grow by a sixteenth or more each time, all their sections at once, keep that cost small.
 */
export class Arena {
  readonly #schema: readonly SectionSpec[];
  readonly #kind: number;
  #lengths: number[];
  #views: TypedArray[] = [];
  #buffer: ArrayBuffer;
  readonly #parts: { readonly lay: () => void; readonly first: number; readonly pack: PackSections }[] = [];
  /** Of a loaded arena: the packed sections, until their components have unpacked them. */
  readonly #packed = new Map<number, Uint8Array>();

  private constructor(schema: readonly SectionSpec[], kind: number, lengths: number[], buffer: ArrayBuffer) {
    this.#schema = schema;
    this.#kind = kind;
    this.#lengths = lengths;
    this.#buffer = buffer;
    this.#lay();
  }

  /** A zeroed arena with the given sections (element counts from the schema). */
  static create(kind: number, schema: readonly SectionSpec[]): Arena {
    const lengths = schema.map((section) => section.length);
    return new Arena(schema, kind, lengths, new ArrayBuffer(totalBytes(schema, lengths)));
  }

  /**
   * An arena with what `bytes()` saved; the bytes are copied, but for the packed sections, which have their least
   * length until their components unpack them. `schema` gives names and types; the lengths come from the bytes and
   * each must lie between the section's `length` and its `maxLength` (default: exactly `length`).
   * @throws ArenaFormatError when the bytes are not an arena of this kind and schema, or are cut or padded.
   */
  static from(bytes: Uint8Array, kind: number, schema: readonly SectionSpec[]): Arena {
    const header = headerOf(bytes, kind);
    const sections = header.getUint32(12, true);
    if (sections !== schema.length)
      throw new ArenaFormatError(`${sections} sections, expected ${schema.length}`);
    const saved = schema.map(savedSpec);
    const savedLengths = lengthsIn(header, saved);
    const expected = totalBytes(saved, savedLengths);
    if (bytes.byteLength !== expected) {
      throw new ArenaFormatError(`${bytes.byteLength} bytes, but the sections take ${expected}`);
    }
    const lengths = schema.map((section, i) =>
      section.saved ? loadedLength(section, saved, savedLengths, header) : savedLengths[i],
    );
    const arena = new Arena(schema, kind, lengths, new ArrayBuffer(totalBytes(schema, lengths)));
    let offset = sectionsStart(schema);
    saved.forEach((section, i) => {
      if (header.getUint32(HEADER_BYTES + i * ENTRY_BYTES + 8, true) !== offset)
        throw new ArenaFormatError('the section offsets do not follow from the lengths');
      const byteLength = savedLengths[i] * TYPES[section.type].BYTES_PER_ELEMENT;
      const content = bytes.subarray(offset, offset + byteLength);
      if (section.saved === 'packed') arena.#packed.set(i, content);
      else if (!section.saved) bytesOf(arena.#views[i]).set(content);
      offset += align(byteLength);
    });
    return arena;
  }

  /**
   * A copy of the first section of saved bytes, for an owner whose remaining schema depends on what it says.
   * @throws ArenaFormatError when the bytes are not an arena of this kind, or the section is not as `section` says.
   */
  static firstSection(bytes: Uint8Array, kind: number, section: SectionSpec): Uint8Array {
    const header = headerOf(bytes, kind);
    const [length] = lengthsIn(header, [section]);
    const offset = header.getUint32(HEADER_BYTES + 8, true);
    const byteLength = length * TYPES[section.type].BYTES_PER_ELEMENT;
    if (offset + byteLength > bytes.byteLength)
      throw new ArenaFormatError(`section ${section.name} ends behind the last byte`);
    return bytes.slice(offset, offset + byteLength);
  }

  /**
   * The sections `first`, `first + 1`, ... as one component's own (index 0 is `first`). `lay` is called at once and
   * again whenever the buffer has moved; it must fetch every view the component holds. `pack` gives the packed form of
   * those of the sections that have one, by index; `ArenaPart.packed` is where they are found again.
   */
  part(first: number, lay: (part: ArenaPart) => void, pack: PackSections = () => new Map()): ArenaPart {
    const part: ArenaPart = {
      view: <T extends TypedArray>(index: number) => this.#views[first + index] as T,
      resize: (lengths) => this.#resize(first, lengths),
      packed: (index) => this.#takePacked(first + index),
    };
    this.#parts.push({ first, pack, lay: () => lay(part) });
    lay(part);
    return part;
  }

  /** Bytes of the whole buffer. */
  get byteLength(): number {
    return this.#buffer.byteLength;
  }

  /** Gives the memory back; no view is valid any more. */
  release(): void {
    freeBuffer(this.#buffer);
  }

  /** The saved form of all sections, fit for `Arena.from`: a copy. */
  bytes(): Uint8Array {
    const contents = this.#schema.map((section, i) => (section.saved ? EMPTY : bytesOf(this.#views[i])));
    for (const { first, pack } of this.#parts) {
      for (const [index, packed] of pack()) contents[first + index] = packed;
    }
    const saved = this.#schema.map(savedSpec);
    const lengths = saved.map(({ type }, i) => contents[i].byteLength / TYPES[type].BYTES_PER_ELEMENT);
    const bytes = new Uint8Array(totalBytes(saved, lengths));
    const header = new DataView(bytes.buffer);
    [MAGIC, FORMAT_VERSION, this.#kind, saved.length].forEach((field, i) =>
      header.setUint32(i * 4, field, true),
    );
    let offset = sectionsStart(saved);
    saved.forEach(({ type }, i) => {
      const entry = HEADER_BYTES + i * ENTRY_BYTES;
      header.setUint32(entry, TYPE_CODES[type], true);
      header.setUint32(entry + 4, lengths[i], true);
      header.setUint32(entry + 8, offset, true);
      bytes.set(contents[i], offset);
      offset += align(contents[i].byteLength);
    });
    return bytes;
  }

  #takePacked(section: number): Uint8Array {
    const packed = this.#packed.get(section) ?? EMPTY;
    this.#packed.delete(section);
    return packed;
  }

  #resize(first: number, changes: readonly (readonly [index: number, length: number])[]): void {
    if (changes.every(([index, length]) => this.#lengths[first + index] === length)) return;
    const old = this.#views;
    const lengths = this.#lengths.slice();
    for (const [index, length] of changes) lengths[first + index] = length;
    this.#lengths = lengths;
    this.#buffer = new ArrayBuffer(totalBytes(this.#schema, lengths));
    this.#lay();
    this.#views.forEach((view, i) => {
      const kept = old[i];
      view.set(kept.length <= view.length ? kept : kept.subarray(0, view.length));
    });
    for (const { lay } of this.#parts) lay();
  }

  #lay(): void {
    let offset = sectionsStart(this.#schema);
    this.#views = this.#schema.map((section, i) => {
      const Type = TYPES[section.type];
      const view = new Type(this.#buffer, offset, this.#lengths[i]);
      offset += align(view.byteLength);
      return view;
    });
  }
}

/** The packed form of a component's sections, by index. */
export type PackSections = () => ReadonlyMap<number, Uint8Array>;

/** A component's own sections of a model's arena. */
export interface ArenaPart {
  /** The view of the component's section `index`. Invalid once any section of the arena was resized. */
  view<T extends TypedArray>(index: number): T;
  /** Gives sections new lengths; contents are kept up to them, new elements are 0. Every part is laid again. */
  resize(lengths: readonly (readonly [index: number, length: number])[]): void;
  /** Of a loaded arena: the packed form of section `index`, to be unpacked at once and once only; else empty. */
  packed(index: number): Uint8Array;
}

/** One section of an arena: element type, length at creation and the least a saved one may have, and the most it may grow to. */
export interface SectionSpec {
  readonly name: string;
  readonly type: keyof typeof TYPES;
  readonly length: number;
  readonly maxLength?: number;
  /** Absent: saved as it is. Else it is not part of the saved bytes, but in packed form, in this section's place or in another's. */
  readonly saved?: 'packed' | 'elsewhere';
  /**
   * Of one that is not saved as it is: how long it will be when it is unpacked, so that a loaded arena has room for it at
   * once. `counter` is a section (u32) saved as it is, whose element `index` counts rows of `elements` each.
   */
  readonly rows?: { readonly counter: string; readonly index: number; readonly elements: number };
}

/** Saved bytes that are not what they should be: damaged, cut, or of another format. */
export class ArenaFormatError extends Error {
  override readonly name = 'ArenaFormatError';
}

const TYPES = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
} as const;
const TYPE_CODES = { u8: 1, i8: 2, u16: 3, i16: 4, u32: 5, i32: 6, f32: 7, f64: 8 } as const;
const MAGIC = 0x414d5448; // "HTMA" read as a little-endian word
const FORMAT_VERSION = 2;
const HEADER_BYTES = 16;
const ENTRY_BYTES = 12;
const MAX_PACKED_BYTES = 2 ** 31;

const EMPTY = new Uint8Array(0);

/** What a section looks like in saved bytes. */
function savedSpec(section: SectionSpec): SectionSpec {
  const { name, type, saved } = section;
  if (saved === 'packed') return { name, type: 'u8', length: 0, maxLength: MAX_PACKED_BYTES, saved };
  return saved === 'elsewhere' ? { name, type, length: 0, saved } : section;
}

/** The elements to make room for. A count that saved bytes cannot have is left to who unpacks them to refuse. */
function loadedLength(
  { length, maxLength = length, rows }: SectionSpec,
  saved: readonly SectionSpec[],
  savedLengths: readonly number[],
  header: DataView,
): number {
  if (rows === undefined) return length;
  const counter = saved.findIndex(({ name }) => name === rows.counter);
  let offset = sectionsStart(saved);
  for (let i = 0; i < counter; i++) offset += align(savedLengths[i] * TYPES[saved[i].type].BYTES_PER_ELEMENT);
  const count = header.getUint32(offset + 4 * rows.index, true);
  const wanted = count * rows.elements;
  // Each row takes a byte at least.
  return count > header.byteLength || wanted > maxLength ? length : wanted;
}

function bytesOf(view: TypedArray): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function align(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/** The header of saved bytes, of which magic, version, kind and size of the section table are checked. */
function headerOf(bytes: Uint8Array, kind: number): DataView {
  if (bytes.byteLength < HEADER_BYTES)
    throw new ArenaFormatError(`${bytes.byteLength} bytes are fewer than the ${HEADER_BYTES} of the header`);
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const field = (index: number) => header.getUint32(index * 4, true);
  if (field(0) !== MAGIC) throw new ArenaFormatError('the bytes do not begin with "HTMA"');
  if (field(1) !== FORMAT_VERSION)
    throw new ArenaFormatError(`format version ${field(1)} is not ${FORMAT_VERSION}`);
  if (field(2) !== kind) throw new ArenaFormatError(`kind ${field(2)} is not ${kind}`);
  if (HEADER_BYTES + field(3) * ENTRY_BYTES > bytes.byteLength)
    throw new ArenaFormatError(`${bytes.byteLength} bytes cannot hold the table of ${field(3)} sections`);
  return header;
}

/** The lengths of the first sections, checked against their schema. */
function lengthsIn(header: DataView, schema: readonly SectionSpec[]): number[] {
  if (header.getUint32(12, true) < schema.length) throw new ArenaFormatError('a section is missing');
  return schema.map((section, i) => {
    const entry = HEADER_BYTES + i * ENTRY_BYTES;
    const length = header.getUint32(entry + 4, true);
    const maxLength = section.maxLength ?? section.length;
    if (header.getUint32(entry, true) !== TYPE_CODES[section.type])
      throw new ArenaFormatError(`section ${section.name} has another type`);
    if (length < section.length || length > maxLength) {
      throw new ArenaFormatError(
        `section ${section.name} has ${length} elements, not ${section.length}..${maxLength}`,
      );
    }
    return length;
  });
}

function sectionsStart(schema: readonly SectionSpec[]): number {
  return align(HEADER_BYTES + schema.length * ENTRY_BYTES);
}

function totalBytes(schema: readonly SectionSpec[], lengths: readonly number[]): number {
  return schema.reduce(
    (bytes, section, i) => bytes + align(lengths[i] * TYPES[section.type].BYTES_PER_ELEMENT),
    sectionsStart(schema),
  );
}
