/** One file, shown: pictures, sound and film as themselves, text as text, anything else as its first bytes in hex. */

import type { Library } from "./library.js";
import { bytes, kindOf } from "./words.js";

/** How much of a text is shown. */
const TEXT_BYTES = 64 * 1024;
/** How much of anything else is shown. */
const HEX_BYTES = 512;

const SHOWN_AS_MEDIA = /^(image|audio|video)\//;

/** Fills `body` with what is to be seen of the file; gives a note on it and a way to clean up. */
export async function preview(library: Library, name: string, body: HTMLElement): Promise<[string, () => void]> {
  const item = library.items.get(name);
  const size = item?.size ?? (await library.db.size(name)) ?? 0;
  const type = item?.type ?? "";
  if (SHOWN_AS_MEDIA.test(type)) {
    const blob = (await library.read(name)) ?? new Blob();
    const url = URL.createObjectURL(blob);
    body.replaceChildren(element(type, url, name));
    return [`${type} · ${bytes(size)}`, () => URL.revokeObjectURL(url)];
  }
  const head = (await library.head(name, TEXT_BYTES)) ?? new Uint8Array();
  const text = asText(head, size > head.length);
  const block = document.createElement("pre");
  block.textContent = size === 0 ? "(an empty file)" : (text ?? hex(head.subarray(0, HEX_BYTES)));
  body.replaceChildren(block);
  const shown = text === undefined ? Math.min(size, HEX_BYTES) : head.length;
  const what = type || (text === undefined ? "binary" : kindOf(name, type) === "code" ? "code" : "text");
  const part = shown < size ? `, the first ${bytes(shown)} shown` : "";
  return [`${what} · ${bytes(size)}${part}`, () => {}];
}

function element(type: string, url: string, name: string): HTMLElement {
  if (type.startsWith("image/")) {
    const image = new Image();
    image.src = url;
    image.alt = name;
    return image;
  }
  const player = document.createElement(type.startsWith("video/") ? "video" : "audio");
  player.controls = true;
  player.src = url;
  return player;
}

/** The bytes as text, if that is what they are. A character that `cut` split at the end does not count against them. */
function asText(head: Uint8Array, cut: boolean): string | undefined {
  if (head.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: cut });
  } catch {
    return undefined;
  }
}

/** Sixteen bytes a line: offset, bytes, characters. */
function hex(head: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < head.length; at += 16) {
    const row = [...head.subarray(at, at + 16)];
    const digits = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const characters = row.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "·")).join("");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${digits.padEnd(47)}  ${characters}`);
  }
  return lines.join("\n");
}
