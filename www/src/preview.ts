/** A file's contents, shown: pictures, sound and film as themselves, text as text, anything else as its first bytes in hex. */

import { make } from "./elements.js";
import { ending, kindOf } from "./kinds.js";
import { bytes } from "./words.js";

/** How much of a text is shown. */
const TEXT_BYTES = 64 * 1024;
/** How much of anything else is shown. */
const HEX_BYTES = 512;

const SHOWN_AS_MEDIA = /^(image|audio|video)\//;

/** Contents of a file, or of an earlier version of it. */
export interface Source {
  name: string;
  size: number;
  type: string;
  head(length: number): Promise<Uint8Array>;
  whole(): Promise<Blob>;
}

/** Fills `body` with what is to be seen; gives a note on it and a way to clean up. */
export async function preview(source: Source, body: HTMLElement): Promise<[string, () => void]> {
  const { name, size, type } = source;
  if (SHOWN_AS_MEDIA.test(type) && size > 0) {
    const url = URL.createObjectURL(await source.whole());
    const shown = medium(type, url, name);
    // What calls itself a picture and is none is shown as its bytes.
    const broken = new Promise<boolean>((resolve) => {
      if (!(shown instanceof HTMLImageElement)) resolve(false);
      else shown.decode().then(() => resolve(false), () => resolve(true));
    });
    if (!(await broken)) {
      body.replaceChildren(shown);
      return [`${type} · ${bytes(size)}`, () => URL.revokeObjectURL(url)];
    }
    URL.revokeObjectURL(url);
  }
  const head = await source.head(TEXT_BYTES);
  const text = asText(head, size > head.length);
  const block = make("pre");
  block.textContent = size === 0 ? "(an empty file)" : (text ?? hex(head.subarray(0, HEX_BYTES)));
  body.replaceChildren(block);
  const shown = text === undefined ? Math.min(size, HEX_BYTES) : head.length;
  const what = type || (text === undefined ? "binary" : kindOf(name, type) === "code" ? ending(name) : "text");
  const part = shown < size ? `, the first ${bytes(shown)} shown` : "";
  return [`${what} · ${bytes(size)}${part}`, () => {}];
}

function medium(type: string, url: string, name: string): HTMLElement {
  if (type.startsWith("image/")) {
    const image = new Image();
    image.src = url;
    image.alt = name;
    return image;
  }
  const player = make(type.startsWith("video/") ? "video" : "audio");
  player.controls = true;
  player.src = url;
  player.ariaLabel = name;
  return player;
}

/** The bytes as text, if that is what they are. A character that `cut` split at the end does not count against them. */
export function asText(head: Uint8Array, cut: boolean): string | undefined {
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
