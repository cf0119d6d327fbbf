/**
 * The worker that holds one store: takes requests, carries their calls out in order, answers each in one message.
 *
 * Calls that never wait are carried out without a break, so a request of such calls costs one turn of the event loop.
 */

import init from "../generated/tailstone_web.js";
import { BlobSource } from "./blobs.js";
import { TailstoneError, toWire } from "./errors.js";
import { Holder } from "./holder.js";
import { borrow, Packer } from "./pack.js";
import type { Call, Outcome, Reply, Request, Result } from "./protocol.js";

declare const self: DedicatedWorkerGlobalScope;

const requests: Request[] = [];
let running = false;
let holder: Holder | undefined;
/** Set when the engine trapped: its memory cannot be trusted any more, what it wrote can. */
let broken: TailstoneError | undefined;

self.addEventListener("message", (event: MessageEvent<Request>) => {
  requests.push(event.data);
  if (!running) void run();
});

async function run(): Promise<void> {
  running = true;
  for (let request = requests.shift(); request !== undefined; request = requests.shift()) {
    const packer = new Packer();
    const outcomes: Outcome[] = [];
    while (outcomes.length < request.calls.length) {
      const stored = setTogether(request, outcomes.length);
      if (stored > 0) {
        for (let n = 0; n < stored; n++) outcomes.push({ ok: undefined });
        continue;
      }
      const outcome = attempt(request, outcomes.length, packer);
      outcomes.push(outcome instanceof Promise ? await outcome : outcome);
    }
    const reply: Reply = { id: request.id, outcomes, shared: packer.finish() };
    self.postMessage(reply, packer.moved);
  }
  running = false;
}

/** Stores a run of small values in one write; returns how many, 0 if they have to be stored one by one. */
function setTogether({ calls, shared }: Request, from: number): number {
  const places: number[] = [];
  let to = from;
  for (let call = calls[to]; call?.op === "set"; call = calls[++to]) {
    const { key, value } = call;
    if (key instanceof Uint8Array || value instanceof Uint8Array || value instanceof Blob) break;
    places.push(...key, ...value);
  }
  if (to - from < 2 || holder === undefined || broken !== undefined) return 0;
  try {
    holder.store.setMany(new Uint8Array(shared), Uint32Array.from(places));
    return to - from;
  } catch (error) {
    noteTrap(error);
    // Nothing was stored. One by one, each call meets its own error.
    return 0;
  }
}

function attempt(request: Request, at: number, packer: Packer): Outcome | Promise<Outcome> {
  const failed = (error: unknown): Outcome => {
    noteTrap(error);
    return { error: toWire(error) };
  };
  try {
    const call = request.calls[at];
    const result = call === undefined ? undefined : carryOut(call, request.shared, packer);
    return result instanceof Promise ? result.then((ok) => ({ ok }), failed) : { ok: result };
  } catch (error) {
    return failed(error);
  }
}

function carryOut(call: Call, shared: ArrayBuffer, packer: Packer): Result | Promise<Result> {
  if (call.op === "open") return openStore(call.name, call.patience);
  if (broken !== undefined) throw broken;
  if (holder === undefined) throw new TailstoneError("closed", "the store was closed");
  const { store } = holder;
  switch (call.op) {
    case "set": {
      const key = borrow(call.key, shared);
      if (call.value instanceof Blob) store.setFrom(key, call.value.size, new BlobSource(call.value));
      else store.set(key, borrow(call.value, shared));
      return undefined;
    }
    case "get": {
      const length = store.find(borrow(call.key, shared));
      return length === undefined ? undefined : readFound(0, length, packer);
    }
    case "range": {
      const length = store.find(borrow(call.key, shared));
      if (length === undefined) return undefined;
      const start = Math.min(call.offset, length);
      return readFound(start, Math.min(call.length, length - start), packer);
    }
    case "size":
      return store.size(borrow(call.key, shared));
    case "delete":
      return store.delete(borrow(call.key, shared));
    case "flush":
      store.sync();
      return undefined;
    case "stats":
      return holder.stats();
    case "verify":
      return holder.verify();
    case "export":
      return holder.exportFile();
    case "import":
      return holder.importFile(call.file);
    case "close": {
      const closing = holder;
      holder = undefined;
      closing.close();
      return undefined;
    }
  }
}

function readFound(offset: number, length: number, packer: Packer) {
  const [place, room] = packer.reserve(length);
  holder?.store.readFound(offset, room);
  return place;
}

async function openStore(name: string, patience: number) {
  await init({ module_or_path: new URL("./tailstone.wasm", import.meta.url) });
  const [opened, result] = await Holder.open(name, patience);
  holder = opened;
  return result;
}

function noteTrap(error: unknown): void {
  if (error instanceof WebAssembly.RuntimeError) {
    broken = new TailstoneError("closed", "the engine stopped on a fault of its own; open the store again", {
      cause: error,
    });
  }
}
