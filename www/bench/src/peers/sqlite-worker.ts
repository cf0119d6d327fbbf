/** The worker in which a page's SQLite lives. */

import { open } from "./sqlite-engine.ts";
import { answerFor } from "./remote.ts";

answerFor(self as unknown as DedicatedWorkerGlobalScope, open);
