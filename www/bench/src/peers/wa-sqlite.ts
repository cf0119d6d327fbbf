/** wa-sqlite over its pool of OPFS handles: in this worker, or from a page in a worker of its own. */

import type { Open } from "../adapter.ts";
import { connect } from "./remote.ts";

export const open: Open = async (options) => {
  if (options.lane === "worker") return (await import("./wa-sqlite-engine.ts")).open(options);
  return connect(new Worker(new URL("./wa-sqlite-worker.js", import.meta.url), { type: "module" }), options);
};
