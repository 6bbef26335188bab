/** The rows of a table of any length: pages by keyset, fetched as they come into sight, forgotten far from it. */

import { signal, type ReadonlySignal } from '@preact/signals';
import type { Item, ItemPage } from '../api/documents';

export const PAGE_ROWS = 200;
/** Pages kept; others are fetched again by the address they had. */
const KEPT = 12;

export interface Extent {
  /** Rows that the table has room for: all that were seen, and a page more while there are more. */
  readonly room: number;
  /** How many there are; null until the server has said so, and where it cannot tell. */
  readonly total: number | null;
  readonly isExact: boolean;
  readonly failure: string | null;
  /** Changes with every page that comes. */
  readonly version: number;
}

export type ReadPage = (address: string, signal: AbortSignal) => Promise<ItemPage>;

export class PagedRows {
  readonly #extent = signal<Extent>({ room: PAGE_ROWS, total: null, isExact: false, failure: null, version: 0 });
  readonly #addresses: string[];
  readonly #pages = new Map<number, readonly Item[]>();
  readonly #asked = new Set<number>();
  readonly #read: ReadPage;
  readonly #following: (page: ItemPage) => string | null;
  readonly #abort = new AbortController();
  /** How far rows are wanted that no address leads to yet. */
  #wanted = 0;

  /** first: address of the first page. following: address of the page after one, null after the last. */
  constructor(first: string, read: ReadPage, following: (page: ItemPage) => string | null) {
    this.#addresses = [first];
    this.#read = read;
    this.#following = following;
  }

  get extent(): ReadonlySignal<Extent> {
    return this.#extent;
  }

  /** The object of a row, if its page is here. */
  at(index: number): Item | undefined {
    return this.#pages.get(Math.floor(index / PAGE_ROWS))?.[index % PAGE_ROWS];
  }

  /** Place of an object among the rows that are here; -1 for one that is not. */
  find(id: string): number {
    for (const [page, items] of this.#pages) {
      const place = items.findIndex((item) => String(item.id) === id);
      if (place >= 0) return page * PAGE_ROWS + place;
    }
    return -1;
  }

  /** Fetches what is missing of rows `from` to `to`. A page is reached through those before it. */
  need(from: number, to: number): void {
    this.#wanted = Math.max(0, to);
    const last = Math.floor(Math.max(0, to) / PAGE_ROWS);
    for (let page = Math.floor(Math.max(0, from) / PAGE_ROWS); page <= last; page += 1) void this.#fetch(Math.min(page, this.#addresses.length - 1));
  }

  close(): void {
    this.#abort.abort();
  }

  async #fetch(page: number): Promise<void> {
    const address = this.#addresses[page];
    const kept = this.#pages.get(page);
    if (kept) {
      // Used last is forgotten last.
      this.#pages.delete(page);
      this.#pages.set(page, kept);
      return;
    }
    if (address === undefined || this.#asked.has(page)) return;
    this.#asked.add(page);
    try {
      this.#take(page, await this.#read(address, this.#abort.signal));
    } catch (error) {
      if (!this.#abort.signal.aborted) this.#tell({ failure: error instanceof Error ? error.message : String(error) });
    } finally {
      this.#asked.delete(page);
    }
  }

  #take(page: number, found: ItemPage): void {
    const next = this.#following(found);
    if (next !== null && page === this.#addresses.length - 1) this.#addresses.push(next);
    this.#pages.set(page, found.features);
    for (const far of [...this.#pages.keys()].slice(0, Math.max(0, this.#pages.size - KEPT))) this.#pages.delete(far);
    const isLast = next === null && page === this.#addresses.length - 1;
    const exact = found.numberMatched;
    const before = this.#extent.peek();
    this.#tell({
      room: isLast ? page * PAGE_ROWS + found.features.length : Math.max(before.room, this.#addresses.length * PAGE_ROWS),
      total: isLast ? page * PAGE_ROWS + found.features.length : (exact ?? found.numberEstimated ?? before.total),
      isExact: isLast || exact !== undefined || before.isExact,
      failure: null,
    });
    if (next !== null && this.#wanted >= (page + 1) * PAGE_ROWS) void this.#fetch(page + 1);
  }

  #tell(change: Partial<Extent>): void {
    const before = this.#extent.peek();
    this.#extent.value = { ...before, ...change, version: before.version + 1 };
  }
}
