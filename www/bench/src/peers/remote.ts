/**
 * A synchronous store in a worker, reached by messages: what an app must write around sqlite to use it from a page.
 *
 * Written with some care: one message a call, values of 16 KiB and more are moved and not cloned. What a page passes in
 * stays its own, so that such a value is copied once before it is moved.
 */

import type { Bytes, Entry, OpenOptions, Store } from "../adapter.ts";

const MOVED_MIN = 16 * 1024;

type Call = { [K in keyof Required<Store>]: [K, ...Parameters<Required<Store>[K]>] }[keyof Store];
type Request = { id: number; call: Call | ["open", OpenOptions] };
type Answer = { id: number; result?: unknown; error?: string };

/** The page's half. */
export async function connect(worker: Worker, options: OpenOptions): Promise<Store> {
  const waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  let last = 0;
  worker.onmessage = ({ data }: MessageEvent<Answer>) => {
    const caller = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.error === undefined) caller?.resolve(data.result as never);
    else caller?.reject(new Error(data.error));
  };
  worker.onerror = (event) => {
    for (const caller of waiting.values()) caller.reject(new Error(event.message));
  };
  const ask = <T>(call: Request["call"], moved: Transferable[] = []): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      waiting.set(++last, { resolve, reject });
      worker.postMessage({ id: last, call } satisfies Request, moved);
    });
  await ask(["open", options]);
  return {
    set(key, value) {
      if (value.length < MOVED_MIN) return ask(["set", key, value]);
      const copy = value.slice();
      return ask(["set", key, copy], [copy.buffer]);
    },
    get: (key) => ask<Bytes | undefined>(["get", key]),
    setMany: (entries) => ask(["setMany", entries]),
    getMany: (keys) => ask<(Bytes | undefined)[]>(["getMany", keys]),
    scan: () => ask<Entry[]>(["scan"]),
    range: (key, offset, length) => ask<Bytes>(["range", key, offset, length]),
    flush: () => ask(["flush"]),
    compact: () => ask(["compact"]),
    async close() {
      await ask(["close"]);
      worker.terminate();
    },
  };
}

/** The worker's half. */
export function answerFor(scope: DedicatedWorkerGlobalScope, open: (options: OpenOptions) => Promise<Store>): void {
  let store: Store | undefined;
  scope.onmessage = async ({ data: { id, call } }: MessageEvent<Request>) => {
    try {
      const [name, ...parameters] = call;
      if (name === "open") {
        store = await open(call[1]);
        scope.postMessage({ id } satisfies Answer);
        return;
      }
      const method = store?.[name] as ((...parameters: unknown[]) => unknown) | undefined;
      const result = await method?.(...parameters);
      const moved = result instanceof Uint8Array && result.length >= MOVED_MIN ? [result.buffer as ArrayBuffer] : [];
      scope.postMessage({ id, result } satisfies Answer, moved);
    } catch (error) {
      scope.postMessage({ id, error: String(error) } satisfies Answer);
    }
  };
}
