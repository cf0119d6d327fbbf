/** The worker in which a page's wa-sqlite lives. */

import { answerFor } from "./remote.ts";
import { open } from "./wa-sqlite-engine.ts";

answerFor(self as unknown as DedicatedWorkerGlobalScope, open);
