/** The dialog of one file: what is in it, and its versions, each to be looked at, saved or brought back. */

import { $, button, dialog, make } from "./elements.js";
import type { Library } from "./library.js";
import { preview, type Source } from "./preview.js";
import { save, say } from "./talk.js";
import { readVersion, restore, type Version, versionsOf } from "./versions.js";
import * as words from "./words.js";

export class Viewer {
  readonly #library: Library;
  readonly #remove: (name: string) => void;
  #name = "";
  #versions: Version[] = [];
  #chosen = 0;
  #cleanUp: () => void = () => {};
  /** Tells a slow answer from that to the last question. */
  #turn = 0;

  constructor(library: Library, remove: (name: string) => void) {
    this.#library = library;
    this.#remove = remove;
    const box = dialog("viewer");
    box.onclose = () => {
      this.#turn += 1;
      this.#cleanUp();
      this.#cleanUp = () => {};
      $("preview").replaceChildren();
    };
    // A click beside the dialog, as many expect.
    box.onclick = (event) => {
      if (event.target === box) box.close();
    };
    button("viewer-close").onclick = () => box.close();
    button("viewer-download").onclick = () => void this.#guard(() => this.#download());
    button("viewer-restore").onclick = () => void this.#guard(() => this.#restore());
    button("viewer-remove").onclick = () => {
      box.close();
      this.#remove(this.#name);
    };
  }

  /** Opens the dialog on a file, which may be one that was removed. */
  async show(name: string): Promise<void> {
    this.#name = name;
    this.#chosen = 0;
    $("viewer-title").textContent = name;
    $("viewer-title").title = name;
    await this.#load();
    const box = dialog("viewer");
    if (!box.open) box.showModal();
  }

  /** The file changed, here or in another tab: what is shown follows. */
  async refresh(): Promise<void> {
    if (!dialog("viewer").open) return;
    const before = this.#versions[this.#chosen];
    const versions = await versionsOf(this.#library, this.#name);
    if (versions[0]?.version === this.#versions[0]?.version && versions.length === this.#versions.length) return;
    const same = versions.findIndex(({ version }) => version === before?.version);
    // Who looks at the newest goes on looking at the newest.
    this.#chosen = this.#chosen === 0 || same < 0 ? 0 : same;
    await this.#load();
  }

  async #load(): Promise<void> {
    this.#versions = await versionsOf(this.#library, this.#name);
    const size = await this.#library.files.size(this.#name);
    // A file may be there without a past: what a store keeps of it is the store's affair.
    if (this.#versions.length === 0 && size !== undefined) {
      const item = this.#library.items.get(this.#name);
      this.#versions = [{ version: -1, size, deleted: false, type: item?.type ?? "", stored: item?.stored }];
    }
    const newest = this.#versions[0];
    const item = this.#library.items.get(this.#name);
    if (newest !== undefined && item !== undefined && !newest.deleted) {
      newest.type ||= item.type;
      newest.stored ??= item.stored;
    }
    this.#drawVersions();
    await this.#choose(this.#chosen);
  }

  #drawVersions(): void {
    const { length } = this.#versions;
    $("versions-title").textContent = length === 1 ? "One version" : words.count(length, "version");
    const lines = this.#versions.map(({ size, deleted, stored }, index) => {
      const what = deleted ? "Removed" : index === 0 ? "Now" : `Version ${length - index}`;
      const control = make("button", "version", make("b", "", what));
      control.append(make("span", "", deleted ? "" : words.bytes(size)), make("small", "", words.instant(stored)));
      control.type = "button";
      control.disabled = deleted;
      control.onclick = () => void this.#guard(() => this.#choose(index));
      return make("li", "", control);
    });
    $("versions").replaceChildren(...lines);
  }

  async #choose(index: number): Promise<void> {
    const turn = (this.#turn += 1);
    this.#chosen = index;
    const version = this.#versions[index];
    [...$("versions").querySelectorAll("button")].forEach((control, at) => {
      control.setAttribute("aria-current", String(at === index));
    });
    const isThere = version !== undefined && !version.deleted;
    button("viewer-restore").hidden = !isThere || index === 0;
    button("viewer-download").disabled = !isThere;
    button("viewer-remove").disabled = this.#versions[0]?.deleted ?? true;
    if (!isThere) {
      $("preview").replaceChildren(make("p", "nothing", "Removed. Choose an earlier version to look at it."));
      $("viewer-note").textContent = "";
      return;
    }
    const body = make("div", "preview-body");
    const [note, cleanUp] = await preview(this.#source(index, version), body);
    if (turn !== this.#turn) return cleanUp();
    this.#cleanUp();
    this.#cleanUp = cleanUp;
    $("preview").replaceChildren(body);
    $("preview").scrollTop = 0;
    $("viewer-note").textContent = note;
  }

  /** The newest is read from the file in parts; an older one comes whole. */
  #source(index: number, version: Version): Source {
    const name = this.#name;
    const { size, type } = version;
    if (index === 0) {
      const whole = async () => (await this.#library.read(name)) ?? new Blob();
      return { name, size, type, whole, head: (length) => this.#library.head(name, length) };
    }
    const whole = async () => (await readVersion(this.#library, name, version)) ?? new Blob();
    const head = async (length: number) => new Uint8Array(await (await whole()).slice(0, length).arrayBuffer());
    return { name, size, type, whole, head };
  }

  async #download(): Promise<void> {
    const version = this.#versions[this.#chosen];
    if (version === undefined) return;
    save(await this.#source(this.#chosen, version).whole(), this.#name.slice(this.#name.lastIndexOf("/") + 1));
  }

  async #restore(): Promise<void> {
    const version = this.#versions[this.#chosen];
    if (version === undefined) return;
    const which = this.#versions.length - this.#chosen;
    await restore(this.#library, this.#name, version);
    this.#chosen = 0;
    await this.#load();
    $("versions").querySelector("button")?.focus();
    say(`Version ${which} of ${this.#name} is the newest again.`);
  }

  async #guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      say(words.reason(error));
    }
  }
}
