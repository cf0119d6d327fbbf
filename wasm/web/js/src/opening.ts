/**
 * Opens the engine on a file, and tells a write that a loss of power left in part from damage.
 *
 * Invariant: what is known to have been flushed is never cut off here. What lies behind it may have reached the disk in
 * part, in any order: of that, everything before the first place that is not whole is kept, so that later changes are
 * never there without earlier ones, nor batches in part. A file that is damaged before is refused, and left as it is.
 */

import { Engine, intactUpTo, salvage } from "./engine.js";
import { codeOf, TailstoneError } from "./errors.js";
import type { FlushedBound } from "./flushed-bound.js";
import type { Handle, StoreFile } from "./handle.js";
import type { Place } from "./place.js";
import type { Recovery } from "./protocol.js";

/** An engine, and what opening its file found. */
export interface OpenedEngine {
  engine: Engine;
  recovery: Recovery;
}

/** Opens the engine on a file of which `bound` says how much was flushed. */
export function openEngine(handle: Handle, bound: FlushedBound | undefined): OpenedEngine {
  const fileBytes = handle.getSize();
  const flushed = bound?.tail;
  let engine: Engine;
  try {
    engine = flushed === undefined ? newEngine(handle) : openKeeping(handle, flushed);
  } catch (error) {
    if (flushed === undefined || !isDamage(error) || damageOffset(error) <= flushed) throw error;
    const intact = intactUpTo(handle, 0);
    if (intact < flushed) throw error;
    return cut(handle, intact, fileBytes);
  }
  const tail = engine.store.tail();
  if (flushed !== undefined && flushed < tail) {
    // Opening does not read long values.
    const intact = intactUpTo(handle, flushed, tail);
    if (intact < tail && intact >= flushed) {
      engine.store.free();
      return cut(handle, intact, fileBytes);
    }
  }
  return { engine, recovery: engine.recovery() };
}

/**
 * Makes a store that is damaged one that opens, out of what is sound in it, and lets go of the place. The damaged file goes
 * once the other one was checked; a store that is sound stays as it is.
 */
export async function salvageIn(place: Place): Promise<Recovery> {
  let file: StoreFile | undefined;
  let spare: StoreFile | undefined;
  try {
    const current = await place.openCurrent();
    file = current;
    const fileBytes = current.handle.getSize();
    const asItIs = soundly(() => openEngine(current.handle, place.bound));
    if (asItIs !== undefined) return asItIs;
    spare = await place.openSpare();
    const { rescued, damaged, lost, bytes } = salvage(current.handle, spare.handle);
    if (rescued === 0) throw new TailstoneError("corrupt", "no entry could be rescued; the store was left as it is");
    const { handle } = spare;
    const found = soundly(() => openEngine(handle, undefined));
    if (found === undefined) throw new TailstoneError("corrupt", "what was rescued is not sound; the store was left as it is");
    place.promote(spare);
    spare = undefined;
    place.bound?.flushed(handle.getSize(), true);
    handle.close();
    await current.remove();
    file = undefined;
    const summary = `${rescued} entries rescued into ${bytes} bytes, ${damaged} left out as damaged, ${lost} bytes belong to no entry`;
    return { ...found, fileBytes, cutBytes: Math.max(0, fileBytes - bytes), damagedEntries: damaged, outcome: "Salvaged", summary };
  } finally {
    file?.handle.close();
    // Either file may be found by the next holder when a promotion failed.
    if (place.unsure) spare?.handle.close();
    else await spare?.remove();
    place.release();
  }
}

/** What opening finds of a store that opens and is sound from its first byte to its last; it is closed again. */
function soundly(open: () => OpenedEngine): Recovery | undefined {
  let opened: OpenedEngine;
  try {
    opened = open();
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
  const { engine, recovery } = opened;
  if (!engine.verify().sound) {
    engine.store.free();
    return undefined;
  }
  engine.store.close();
  engine.store.free();
  return recovery;
}

/** Opens a file of which only the first `intact` bytes are kept. */
function cut(handle: Handle, intact: number, fileBytes: number): OpenedEngine {
  handle.truncate(intact);
  handle.flush();
  const engine = newEngine(handle);
  const found = engine.recovery();
  const cutBytes = fileBytes - found.tail;
  const summary = `${found.tail} bytes of entries, ${cutBytes} bytes of unfinished writes cut off`;
  return { engine, recovery: { ...found, fileBytes, cutBytes, outcome: "TornTail", summary } };
}

/** Opens a file of which the first `flushed` bytes must not be cut off, as the engine does with what looks unfinished. */
function openKeeping(handle: Handle, flushed: number): Engine {
  let offset: number | undefined;
  // Covers the method of the handle's kind.
  handle.truncate = (size) => {
    if (size < flushed) {
      offset = size;
      throw new Error("this much must not be cut off");
    }
    Object.getPrototypeOf(handle).truncate.call(handle, size);
  };
  try {
    const engine = newEngine(handle);
    const tail = engine.store.tail();
    if (tail >= flushed) return engine;
    offset = tail;
    engine.store.free();
    throw new Error("the file ends before that");
  } catch (cause) {
    if (offset === undefined) throw cause;
    const message = `the store is damaged: ${flushed} bytes of it were flushed, of which only ${offset} are whole`;
    throw Object.assign(new TailstoneError("corrupt", message, { cause }), { offset });
  } finally {
    Reflect.deleteProperty(handle, "truncate");
  }
}

/** A generation tells one holder's places in the file from another's: two of them have the same once in four billion times. */
function newEngine(handle: Handle): Engine {
  return new Engine(handle, Math.floor(Math.random() * 2 ** 32));
}

function isDamage(error: unknown): boolean {
  const code = codeOf(error);
  return code === "corrupt" || code === "not-a-store";
}

/** Where the engine met the damage; what is no store is damaged from its end on. */
function damageOffset(error: unknown): number {
  return (error as { offset?: number }).offset ?? Number.POSITIVE_INFINITY;
}
