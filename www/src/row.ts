/** One file of the list: its picture or kind, name, size, date, and what can be done with it. */

import { icon, iconButton, make } from "./elements.js";
import { ending, kindOf } from "./kinds.js";
import type { Item, Library } from "./library.js";
import { asText } from "./preview.js";
import { Thumbs } from "./thumbs.js";
import * as words from "./words.js";

/** What can be done with a file in the list. */
export interface Actions {
  show(name: string): void;
  download(name: string): void;
  remove(name: string): void;
}

const SAVE = "M10 3v9m-3.5-3.5L10 12l3.5-3.5M4 16.5h12";
const DROP = "M4 6h12M8 6V4h4v2m-6 0 .7 10h6.6L14 6";
const NOTE = "M6 3h6l3 3v11H6zM12 3v3h3";

/** The element of one file. Its picture comes when `thumbs` has it. */
export function row(item: Item, actions: Actions): HTMLLIElement {
  const { name, size } = item;
  const cut = name.lastIndexOf("/") + 1;
  const kind = kindOf(name, item.type);
  const thumb = make("span", `thumb k-${kind}`);
  thumb.ariaHidden = "true";
  const label = ending(name);
  thumb.append(label === "" || label.length > 5 ? icon(NOTE) : make("b", "", label));
  const text = make("span", "name", make("span", "file", name.slice(cut)));
  if (cut > 0) text.append(make("span", "folder", name.slice(0, cut - 1)));
  const open = make("button", "open", thumb, text);
  open.type = "button";
  open.title = name;
  open.onclick = () => actions.show(name);
  const save = iconButton(`Download ${name}`, SAVE);
  save.onclick = () => actions.download(name);
  const drop = iconButton(`Remove ${name}`, DROP);
  drop.onclick = () => actions.remove(name);
  const line = make("li", "row", open);
  line.append(make("span", "size", words.bytes(size)), make("span", "stored", words.moment(item.stored)));
  line.append(make("span", "actions", save, drop));
  line.dataset["name"] = name;
  return line;
}

/** What is shown of a text on its tile, in bytes. */
const SNIPPET_BYTES = 360;

/** Puts the picture in, or a text's beginning, if there is one; to be called when the row is about to be seen. */
export async function addThumb(line: HTMLElement, item: Item, library: Library, thumbs: Thumbs): Promise<void> {
  const kind = kindOf(item.name, item.type);
  if ((kind === "text" || kind === "code") && item.size > 0) {
    const text = asText(await library.head(item.name, SNIPPET_BYTES), item.size > SNIPPET_BYTES);
    if (text !== undefined) line.querySelector(".thumb")?.append(make("small", "", text));
    return;
  }
  if (!Thumbs.has(item)) return;
  const url = await thumbs.url(item);
  if (url === undefined) return;
  const image = new Image();
  image.alt = "";
  image.decoding = "async";
  image.src = url;
  const shown = await image.decode().then(() => true, () => false);
  if (shown) line.querySelector(".thumb")?.replaceChildren(image);
}
