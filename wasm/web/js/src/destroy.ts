/** Removes stores of the browser's own file system. */

import { TailstoneError } from "./errors.js";

/** Removes the store called `name` with everything in it. `locked` while some tab has it open. */
export async function destroy(name: string): Promise<void> {
  await navigator.locks.request(`tailstone/${name}`, { ifAvailable: true }, async (lock) => {
    try {
      if (lock === null) throw new DOMException("another tab has it open", "NoModificationAllowedError");
      const root = await navigator.storage.getDirectory();
      const stores = await root.getDirectoryHandle("tailstone");
      await stores.removeEntry(encodeURIComponent(name), { recursive: true });
    } catch (cause) {
      const kind = (cause as Error).name;
      if (kind === "NotFoundError") return;
      throw new TailstoneError(kind === "NoModificationAllowedError" ? "locked" : "io", `the store ${name} could not be removed`, { cause });
    }
  });
}
