/** One line of the list: a file's kind, name, size, date, and its buttons. */

import type { Item } from "./library.js";
import * as words from "./words.js";

/** What can be done with a file in the list. */
export interface Actions {
  show(name: string): Promise<void>;
  download(name: string): Promise<void>;
  remove(name: string): Promise<void>;
}

/** The row of one file. */
export function row(item: Item, actions: Actions): HTMLTableRowElement {
  const line = document.createElement("tr");
  const name = document.createElement("button");
  name.className = "name";
  name.type = "button";
  name.title = item.name;
  name.style.setProperty("--kind", `var(--k-${words.kindOf(item.name, item.type)})`);
  const label = document.createElement("span");
  const cut = item.name.lastIndexOf("/") + 1;
  const folder = document.createElement("small");
  folder.textContent = item.name.slice(0, cut);
  label.append(folder, item.name.slice(cut));
  name.append(label);
  name.onclick = () => actions.show(item.name);
  const save = action("Download", item.name, "M10 3v9m-3.5-3.5L10 12l3.5-3.5M4 16.5h12");
  save.onclick = () => actions.download(item.name);
  const drop = action("Remove", item.name, "M4 6h12M8 6V4h4v2m-6 0 .7 10h6.6L14 6");
  drop.onclick = () => actions.remove(item.name);
  line.append(cell("", name), cell("number", words.bytes(item.size)), cell("added", words.moment(item.added)));
  line.append(cell("", save, drop));
  return line;
}

function cell(className: string, ...children: (Node | string)[]): HTMLTableCellElement {
  const cell = document.createElement("td");
  cell.className = className;
  cell.append(...children);
  return cell;
}

function action(what: string, name: string, path: string): HTMLButtonElement {
  const control = document.createElement("button");
  control.type = "button";
  control.className = "quiet icon-only";
  control.title = what;
  control.ariaLabel = `${what} ${name}`;
  control.innerHTML = `<svg viewBox="0 0 20 20" aria-hidden="true"><path d="${path}"/></svg>`;
  return control;
}
