/** The dedicated worker of the in-worker lane: one step at a time, as the stage sends them. */

import { carryOut, type Step } from "./measure.ts";

const scope = self as unknown as DedicatedWorkerGlobalScope;

scope.onmessage = async ({ data }: MessageEvent<Step>) => {
  try {
    scope.postMessage({ figures: await carryOut(data) });
  } catch (error) {
    scope.postMessage({ error: String(error) });
  }
};
