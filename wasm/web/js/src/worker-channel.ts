/** Reaches a store through a worker of its own, and flushes it when the page is hidden or goes. */

import type { Channel } from "./connection.js";
import { TailstoneError, toWire } from "./errors.js";
import type { Code } from "./protocol.js";

/** The worker gets its code from here: it is compiled while the worker starts, and not after. */
export function throughWorker(worker: Worker, code: Promise<WebAssembly.Module>): Channel {
  const give = (message: Code) => worker.postMessage(message);
  code.then(
    (code) => give({ code }),
    (error: unknown) => give({ noCode: toWire(error) }),
  );
  // A hidden page may be discarded without another word. Nobody waits for this answer, so it has no number of anybody's.
  const flush = () => worker.postMessage({ id: FLUSH, call: "flush", arguments: {}, strict: false, once: false });
  const hidden = () => {
    if (document.visibilityState === "hidden") flush();
  };
  const page = globalThis.document as Document | undefined;
  page?.addEventListener("visibilitychange", hidden);
  page?.addEventListener("freeze", flush);
  globalThis.addEventListener?.("pagehide", flush);
  return {
    post: (request, moved) => worker.postMessage(request, moved),
    listen: (hear, failed) => {
      worker.onmessage = ({ data }) => hear(data);
      worker.onerror = (event) => {
        event.preventDefault();
        failed(new TailstoneError("io", `the store's worker failed: ${event.message || "it could not be loaded"}`));
      };
      worker.onmessageerror = () => failed(new TailstoneError("io", "an answer of the store's worker could not be read"));
    },
    end: () => {
      page?.removeEventListener("visibilitychange", hidden);
      page?.removeEventListener("freeze", flush);
      globalThis.removeEventListener?.("pagehide", flush);
      worker.terminate();
    },
  };
}

/** Below every number that is waited for. */
const FLUSH = -0.5;
