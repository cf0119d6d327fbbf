/**
 * The list of files: what the search leaves, in the order asked for, a page at a time. Rows that stay the same keep their
 * elements, and with them the focus, however often the shelf changes.
 */

import { $, button, input, make } from "./elements.js";
import type { Item, Library } from "./library.js";
import { type Actions, addThumb, row } from "./row.js";
import type { Thumbs } from "./thumbs.js";
import * as words from "./words.js";

/** Rows shown at first, and with each "Show more". */
const ROWS = 120;
/** Names that the store is asked for when `items` does not hold them all. */
const FOUND_MAX = 1000;
/** How long a row must be in sight before its picture is looked for, in milliseconds: many only pass. */
const LOOK_MS = 120;
/** Folders offered at a time. */
const FOLDERS = 12;

type Order = "newest" | "name" | "largest";

const ORDERS: Record<Order, (a: Item, b: Item) => number> = {
  newest: (a, b) => (b.stored ?? 0) - (a.stored ?? 0) || byName(a, b),
  name: byName,
  largest: (a, b) => b.size - a.size || byName(a, b),
};

function byName(a: Item, b: Item): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

export class List {
  readonly #library: Library;
  readonly #thumbs: Thumbs;
  readonly #actions: Actions;
  readonly #rows = new Map<string, { line: HTMLLIElement; looks: string }>();
  readonly #seen: IntersectionObserver;
  #shown = ROWS;
  #found: Item[] = [];
  #asked = "";

  constructor(library: Library, thumbs: Thumbs, actions: Actions) {
    this.#library = library;
    this.#thumbs = thumbs;
    this.#actions = actions;
    this.#seen = new IntersectionObserver((entries) => this.#onSeen(entries), { rootMargin: "300px" });
    input("search").oninput = () => this.search(input("search").value);
    $<HTMLSelectElement>("order").onchange = () => this.draw();
    button("more").onclick = () => {
      const { length } = $("rows").children;
      this.#shown += ROWS;
      this.draw();
      $("rows").children[length]?.querySelector<HTMLElement>(".open")?.focus();
    };
    $("rows").onkeydown = (event) => this.#onKey(event);
  }

  /** Searches; the text goes into the field too. */
  search(text: string): void {
    if (input("search").value !== text) input("search").value = text;
    this.#shown = ROWS;
    this.#found = [];
    this.#asked = text;
    this.draw();
    if (text === "" || this.#library.items.size >= this.#library.total) return;
    void this.#library.find(text, FOUND_MAX).then((found) => {
      if (this.#asked !== text) return;
      this.#found = found;
      this.draw();
    });
  }

  draw(): void {
    const text = input("search").value;
    const matching = this.#matching(text);
    matching.sort(ORDERS[$<HTMLSelectElement>("order").value as Order] ?? ORDERS.name);
    this.#place(matching.slice(0, this.#shown));
    this.#offerFolders(text, matching);
    const { items, total } = this.#library;
    $("empty").hidden = items.size > 0 || text !== "";
    $("no-match").hidden = matching.length > 0 || text === "";
    $("found").textContent = text === "" ? words.count(total, "file") : `${words.number(matching.length)} of ${words.number(total)}`;
    $("found").hidden = total === 0;
    button("more").hidden = matching.length <= this.#shown;
    button("more").textContent = `Show more (${words.number(matching.length - this.#shown)} left)`;
    $("unlisted").hidden = total <= items.size || text !== "";
    $("unlisted").textContent = `The first ${words.number(items.size)} names are listed; a search finds the others.`;
  }

  /** Names that begin with the text, or a part of whose path does, whatever the case. */
  #matching(text: string): Item[] {
    const { items } = this.#library;
    if (text === "") return [...items.values()];
    const wanted = text.toLowerCase();
    const matching = [...items.values()].filter(({ name }) => {
      const lower = name.toLowerCase();
      return lower.startsWith(wanted) || lower.includes(`/${wanted}`);
    });
    const have = new Set(matching.map(({ name }) => name));
    return matching.concat(this.#found.filter(({ name }) => !have.has(name)));
  }

  #place(items: readonly Item[]): void {
    const list = $("rows");
    const focused = document.activeElement?.closest<HTMLElement>(".row");
    const place = focused ? [...list.children].indexOf(focused) : -1;
    const wanted = new Set<Element>();
    items.forEach((item, index) => {
      const line = this.#line(item);
      wanted.add(line);
      if (list.children[index] !== line) list.insertBefore(line, list.children[index] ?? null);
    });
    while (list.children.length > items.length) list.lastElementChild?.remove();
    for (const [name, { line }] of this.#rows) {
      if (wanted.has(line)) continue;
      this.#seen.unobserve(line);
      this.#rows.delete(name);
    }
    // Who was on a row that went goes on with the one in its place, not at the top of the page.
    if (focused && !list.contains(document.activeElement)) {
      const next = list.children[Math.min(place, list.children.length - 1)];
      (next?.querySelector<HTMLElement>(".open") ?? input("search")).focus();
    }
  }

  #line(item: Item): HTMLLIElement {
    const looks = `${item.size} ${item.type} ${item.stored}`;
    const kept = this.#rows.get(item.name);
    if (kept?.looks === looks) return kept.line;
    const line = row(item, this.#actions);
    if (kept !== undefined) {
      const hadFocus = kept.line.contains(document.activeElement);
      this.#seen.unobserve(kept.line);
      kept.line.replaceWith(line);
      if (hadFocus) line.querySelector<HTMLElement>(".open")?.focus();
    }
    this.#rows.set(item.name, { line, looks });
    this.#seen.observe(line);
    return line;
  }

  #onSeen(entries: readonly IntersectionObserverEntry[]): void {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting || !(target instanceof HTMLElement)) continue;
      this.#seen.unobserve(target);
      const name = target.dataset["name"] ?? "";
      setTimeout(() => {
        const item = this.#library.items.get(name) ?? this.#found.find((found) => found.name === name);
        if (!target.isConnected || item === undefined) return;
        addThumb(target, item, this.#library, this.#thumbs).catch(() => {});
      }, LOOK_MS);
    }
  }

  /** The folders one level below what was searched for, as ways to search on; and the way up. */
  #offerFolders(text: string, matching: readonly Item[]): void {
    const base = text.slice(0, text.lastIndexOf("/") + 1);
    const [from, counts] = foldersBelow(base, matching);
    const most = [...counts].sort(([, a], [, b]) => b - a).slice(0, FOLDERS);
    const chips = most.map(([folder, files]) => {
      const chip = make("button", "folder-chip", folder.slice(from.length, -1), make("span", "", words.number(files)));
      chip.onclick = () => this.search(folder);
      return chip;
    });
    if (base !== "") {
      const parent = base.slice(0, base.slice(0, -1).lastIndexOf("/") + 1);
      const up = make("button", "folder-chip up", parent === "" ? "All files" : parent.slice(0, -1));
      up.onclick = () => this.search(parent);
      chips.unshift(up);
    }
    for (const chip of chips) chip.type = "button";
    const bar = $("folders");
    const hadFocus = bar.contains(document.activeElement);
    bar.replaceChildren(...chips);
    bar.hidden = chips.length === 0;
    if (hadFocus) (chips[0] ?? input("search")).focus();
  }

  #onKey(event: KeyboardEvent): void {
    const here = event.target instanceof Element ? event.target.closest<HTMLElement>(".row") : null;
    if (here === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const to = (line: Element | null) => {
      event.preventDefault();
      line?.querySelector<HTMLElement>(".open")?.focus();
    };
    if (event.key === "ArrowDown") to(here.nextElementSibling);
    else if (event.key === "ArrowUp") to(here.previousElementSibling);
    else if (event.key === "Home") to($("rows").firstElementChild);
    else if (event.key === "End") to($("rows").lastElementChild);
    else if (event.key === "Delete") this.#actions.remove(here.dataset["name"] ?? "");
  }
}

/** How many files each folder below `base` holds; where there is one folder only, with everything in it, those below that. */
function foldersBelow(base: string, items: readonly Item[]): [string, Map<string, number>] {
  const below = items.filter(({ name }) => name.startsWith(base));
  const counts = new Map<string, number>();
  for (const { name } of below) {
    const end = name.indexOf("/", base.length);
    if (end < 0) continue;
    const folder = name.slice(0, end + 1);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  const [only] = counts;
  if (only === undefined || only[1] < items.length) return [base, counts];
  const deeper = foldersBelow(only[0], below);
  return deeper[1].size > 0 ? deeper : [base, counts];
}
