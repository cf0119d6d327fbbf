/** The page's fixed elements by their ids, and small ones made on the way. A wrong id is an error at once. */

export function $<E extends HTMLElement = HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found as E;
}

export const button = (id: string) => $<HTMLButtonElement>(id);
export const input = (id: string) => $<HTMLInputElement>(id);
export const dialog = (id: string) => $<HTMLDialogElement>(id);
export const canvas = (id: string) => $<HTMLCanvasElement>(id);

/** A new element with a class and children. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = "",
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  element.append(...children);
  return element;
}

/** A drawing of 20 by 20 from one path. */
export function icon(path: string): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  drawing.setAttribute("viewBox", "0 0 20 20");
  drawing.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(space, "path");
  line.setAttribute("d", path);
  drawing.append(line);
  return drawing;
}

/** A square button that shows an icon alone, and says in words what it does. */
export function iconButton(label: string, path: string): HTMLButtonElement {
  const control = make("button", "quiet icon-only", icon(path));
  control.type = "button";
  control.title = label;
  control.ariaLabel = label;
  return control;
}
