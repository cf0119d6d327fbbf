/** Stages in frames of this page: each a document of its own, loaded anew, with workers of its own. */

import type { NewStage } from "./plan.ts";
import type { Stage } from "./stage.ts";

const STAGE = "bench/stage.html";

export function stagesIn(host: HTMLElement): NewStage {
  return async () => {
    const frame = document.createElement("iframe");
    frame.title = "stage of the benchmark";
    frame.src = STAGE;
    const stage = await new Promise<Stage>((resolve, reject) => {
      frame.onload = () => {
        // The stage's module has run when its document is loaded.
        const found = (frame.contentWindow as (Window & { stage?: Stage }) | null)?.stage;
        if (found === undefined) reject(new Error(`${STAGE} did not load`));
        else resolve(found);
      };
      host.append(frame);
    });
    return {
      run: (lane, step) => stage.run(lane, step),
      usage: () => stage.usage(),
      wipe: () => stage.wipe(),
      close: async () => frame.remove(),
    };
  };
}
