/**
 * What one peer goes through in one round, on pages that are loaded anew wherever that is part of the question.
 *
 * Knows nothing of how a page comes about: a frame, or a tab that a script opens. The site holds no store of a benchmark
 * when it starts.
 */

import type { Lane, OpenOptions } from "./adapter.ts";
import type { Peer } from "./catalogue.ts";
import type { Figures, Step } from "./measure.ts";
import type { Scale } from "./workloads.ts";

/** A loaded stage, driven from outside of its page. */
export interface Remote {
  run(lane: Lane, step: Step): Promise<Figures>;
  usage(): Promise<number>;
  wipe(): Promise<void>;
  close(): Promise<void>;
}

export type NewStage = () => Promise<Remote>;

/** Every sample of one round, in the order in which they were taken; a workload may have several. */
export type Sample = [workload: string, figure: number];

/**
 * Stores of more keys take minutes to fill: they are filled in the first round alone, for the main thread alone, and then
 * opened oftener.
 */
const EACH_ROUND_KEYS_MAX = 100_000;
const LARGE_REOPENS = 7;

export async function runPeer(
  peer: Peer,
  lane: Lane,
  scale: Scale,
  isFirstRound: boolean,
  newStage: NewStage,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  const note = (figures: Figures) => samples.push(...Object.entries(figures));
  const options = (name: string): OpenOptions => ({ name: `bench-${name}`, lane, durability: peer.durability });
  const open = (name: string): Step => ({ do: "open", peer: peer.id, options: options(name) });
  /** A page with the store open, which may have values already. */
  const onStage = async <T>(work: (stage: Remote) => Promise<T>): Promise<T> => {
    const stage = await newStage();
    try {
      return await work(stage);
    } finally {
      await stage.close();
    }
  };

  await rewriting();
  await onStage(async (stage) => {
    const opened = await stage.run(lane, open("main"));
    if (!peer.writesOnly) note(opened);
    note(await stage.run(lane, { do: "write", scale }));
    if (!peer.writesOnly) note(await stage.run(lane, { do: "read", scale }));
    if (lane === "main" && peer.oneTab === undefined) {
      await onStage(async (second) => {
        await second.run(lane, open("main"));
        const figures = await second.run(lane, { do: "tab", scale });
        if (peer.writesOnly) delete figures["tab-get"];
        note(figures);
        await second.run(lane, { do: "close" });
      });
    }
    await stage.run(lane, { do: "close" });
  });
  if (!peer.writesOnly) for (const [workload, keys] of Object.entries(scale.reopen)) await reopening(workload, keys);
  return samples;

  async function rewriting(): Promise<void> {
    const before = await onStage((stage) => stage.usage());
    await onStage(async (stage) => {
      await stage.run(lane, open("rewrite"));
      note(await stage.run(lane, { do: "rewrite", scale }));
      await stage.run(lane, { do: "close" });
    });
    note({ "size-before": (await onStage((stage) => stage.usage())) - before });
    await onStage(async (stage) => {
      await stage.run(lane, open("rewrite"));
      note(await stage.run(lane, { do: "compact", scale }));
      await stage.run(lane, { do: "close" });
    });
    note({ "size-after": (await onStage((stage) => stage.usage())) - before });
  }

  async function reopening(workload: string, keys: number): Promise<void> {
    if (peer.keysMax !== undefined && keys > peer.keysMax) return;
    const isLarge = keys > EACH_ROUND_KEYS_MAX;
    if (isLarge && !(isFirstRound && lane === "main")) return;
    const reopens = isLarge ? LARGE_REOPENS : scale.reopens;
    await onStage(async (stage) => {
      await stage.run(lane, open(workload));
      await stage.run(lane, { do: "fill", keys });
      await stage.run(lane, { do: "close" });
    });
    for (let time = 1; time <= reopens; time++) {
      await onStage(async (stage) => {
        note(await stage.run(lane, { do: "reopen", peer: peer.id, options: options(workload), keys, workload }));
        if (workload === "reopen-10k") note(await stage.run(lane, { do: "scan", keys, scale }));
        await stage.run(lane, { do: "close" });
      });
    }
  }
}

/** The same things in an order of chance. */
export function shuffled<T>(things: readonly T[]): T[] {
  const order = things.map((thing) => ({ thing, at: Math.random() }));
  return order.sort((one, other) => one.at - other.at).map(({ thing }) => thing);
}
