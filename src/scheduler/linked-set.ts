/**
 * A set in order of insertion whose ends, additions and removals take constant time. (A `Set` keeps holes
 * where members were removed and walks over them to find its first member.)
 */
export class LinkedSet<T> {
  readonly #nodes = new Map<T, Node<T>>();
  #first: Node<T> | null = null;
  #last: Node<T> | null = null;

  get size(): number {
    return this.#nodes.size;
  }

  /** The member that was added before all others, or null. */
  get first(): T | null {
    return this.#first === null ? null : this.#first.value;
  }

  /** The member that was added after all others, or null. */
  get last(): T | null {
    return this.#last === null ? null : this.#last.value;
  }

  /** Adds at the end; a member keeps its place. */
  add(value: T): void {
    if (this.#nodes.has(value)) return;
    const node: Node<T> = { value, previous: this.#last, next: null };
    if (this.#last === null) this.#first = node;
    else this.#last.next = node;
    this.#last = node;
    this.#nodes.set(value, node);
  }

  /** Adds before the first member that is to come `after` it; a member keeps its place. Takes a step for each before that. */
  insert(value: T, after: (other: T) => boolean): void {
    if (this.#nodes.has(value)) return;
    let next = this.#first;
    while (next !== null && !after(next.value)) next = next.next;
    if (next === null) {
      this.add(value);
      return;
    }
    const node: Node<T> = { value, previous: next.previous, next };
    if (next.previous === null) this.#first = node;
    else next.previous.next = node;
    next.previous = node;
    this.#nodes.set(value, node);
  }

  /** The members in their order; the set must not change meanwhile. */
  *[Symbol.iterator](): Generator<T> {
    for (let node = this.#first; node !== null; node = node.next) yield node.value;
  }

  delete(value: T): void {
    const node = this.#nodes.get(value);
    if (node === undefined) return;
    this.#nodes.delete(value);
    if (node.previous === null) this.#first = node.next;
    else node.previous.next = node.next;
    if (node.next === null) this.#last = node.previous;
    else node.next.previous = node.previous;
  }
}

interface Node<T> {
  readonly value: T;
  previous: Node<T> | null;
  next: Node<T> | null;
}
